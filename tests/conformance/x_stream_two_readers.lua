-- x_stream_two_readers: a second reader is refused while the first waits
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  aio.sleep(0.02)
  conn:write("data\n")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  local t = aio.create_task(conn.read, conn, "l")
  aio.sleep(0)
  if not aio.catch(aio.RuntimeError, conn.readline, conn) then
    say("error: somebody reads already")
  end
  say(t:await())
  conn:close()
  srv:close()
end)
