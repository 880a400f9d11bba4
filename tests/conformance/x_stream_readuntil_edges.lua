-- x_stream_readuntil_edges: separators at packet borders, longer separators, what is left at the
-- end
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  for _, part in ipairs { "one\r", "\ntwo\r\r", "\n\r\nlast" } do
    conn:write(part)
    conn:drain()
    aio.sleep(0.005)
  end
  conn:close()
end

local function repr(s) return "'" .. s:gsub("\r", "\\r"):gsub("\n", "\\n") .. "'" end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  for _ = 1, 3 do
    local d = conn:readuntil "\r\n"
    say(repr(d), #d)
  end
  say(conn:at_eof())
  local _, e = aio.catch(aio.IncompleteReadError, conn.readuntil, conn, "\r\n")
  say("incomplete", e.partial, e.expected)
  say(conn:at_eof(), conn:read "a", conn:readline() == nil)
  _, e = aio.catch(aio.IncompleteReadError, conn.readexactly, conn, 1)
  say("incomplete", #e.partial, e.expected)
  say(conn:readexactly(0) == "")
  conn:close()
  conn:wait_closed()
  srv:close()
end)
