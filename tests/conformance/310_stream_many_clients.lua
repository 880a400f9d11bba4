-- 310_stream_many_clients: twenty clients served concurrently
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  local n = math.tointeger(conn:read("l"))
  aio.sleep(0.01)
  conn:write(n * n, "\n")
end

local function client(port, n)
  local conn <close> = aio.open_connection("127.0.0.1", port)
  conn:write(n, "\n")
  return tonumber(conn:read("l"))
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local ts = {}
  for n = 0, 19 do
    ts[#ts + 1] = aio.create_task(client, srv.port, n)
  end
  say(aio.gather(ts))
  srv:close()
end)
