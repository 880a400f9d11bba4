-- x_stream_half_close: the end of one direction leaves the other open
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  say("server got", conn:read("a"))
  for _, part in ipairs { "reply ", "after ", "the end" } do
    conn:write(part)
    aio.sleep(0.002)
  end
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  say("can", conn:can_write_eof())
  conn:write("question")
  conn:write_eof()
  say(conn:read("a"))
  conn:close()
  conn:wait_closed()
  srv:close()
end)
