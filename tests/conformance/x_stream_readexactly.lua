-- x_stream_readexactly: exact reads, and what is left when the end comes too early
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  conn:write("abcdef")
  aio.sleep(0.01)
  conn:write("ghi")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  say(conn:readexactly(4))
  say("none:", #conn:readexactly(0))
  say(conn:readexactly(3))
  local _, err = aio.catch(aio.IncompleteReadError, conn.readexactly, conn, 10)
  say("incomplete:", err.partial, "of", err.expected)
  _, err = aio.catch(aio.IncompleteReadError, conn.readexactly, conn, 1)
  say("incomplete:", #err.partial, "of", err.expected)
  say("at eof", conn:at_eof())
  conn:close()
  srv:close()
end)
