-- 314_stream_cancel_read: cancelling a read loses no data
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  aio.sleep(0.04)
  conn:write("precious\n")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  if not aio.catch(aio.TimeoutError, aio.timeout, 0.01, conn.readline, conn) then
    say("timeout")
  end
  say(conn:read("l"))
  conn:close()
  srv:close()
end)
