-- 306_stream_read_sizes: read(n) returns what is there, read("a") waits for the end
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  conn:write("0123456789")
  aio.sleep(0.02)
  conn:write("tail")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  say(conn:read(4))
  say(conn:read(100))
  say("zero:", #conn:read(0))
  say(conn:read("a"))
  say("after end:", #(conn:read(10) or ""), conn:at_eof())
  conn:close()
  srv:close()
end)
