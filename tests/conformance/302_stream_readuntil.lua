-- 302_stream_readuntil: a multi-byte separator split over packets; missing separator at end
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  conn:write("alpha\r")
  aio.sleep(0.01)
  conn:write("\nbeta\r\ntail")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  say(conn:readuntil("\r\n"):sub(1, -3))
  say(conn:readuntil("\r\n"):sub(1, -3))
  local ok, err = aio.catch(aio.IncompleteReadError, conn.readuntil, conn, "\r\n")
  if not ok then
    say("incomplete, partial:", err.partial)
  end
  conn:close()
  srv:close()
end)
