-- 472_http_like_server: a tiny request parser over streams with a bad request and a slow client
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  local ok, head = aio.catch(aio.TimeoutError, aio.timeout, 0.05, conn.readuntil, conn, "\n\n")
  if not ok then
    conn:write("408")
    return
  end
  local verb, path = head:match("^(%S+) (%S+)\n")
  if not verb then
    conn:write("400")
  elseif verb == "GET" then
    conn:write("200 ", path)
  else
    conn:write("405")
  end
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  for _, req in ipairs { "GET /x\nHost: a\n\n", "PUT /x\n\n", "nonsense\n\n", "GET /slow\n" } do
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write(req)
    say(conn:read("a"))
  end
  srv:close()
end)
