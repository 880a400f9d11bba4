-- 300_stream_echo: a TCP echo round trip
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  local data = conn:readline()
  conn:write("echo ", data)
  conn:close()
  conn:wait_closed()
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  conn:write("hello\n")
  say(conn:read("l"))
  say("eof", conn:read("a") == "", conn:at_eof())
  conn:close()
  conn:wait_closed()
  srv:close()
  srv:wait_closed()
  say("serving", srv:is_serving())
end)
