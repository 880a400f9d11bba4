-- N connections to a server of its own, CLIENTS at a time; the server closes each first
local bench, aio = require "bench", require "aio"
local N, CLIENTS = bench.arg(1, 30000), bench.arg(2, 10)

aio.run(function()
  local loop = aio.get_running_loop()
  local server <close> = aio.start_server(function() end, "127.0.0.1", 0)
  local function client()
    for _ = 1, N // CLIENTS do
      local conn = aio.open_connection("127.0.0.1", server.port)
      assert(conn:read(1) == nil)
      conn:close()
    end
  end
  local t, clients = loop:time(), {}
  for i = 1, CLIENTS do clients[i] = aio.create_task(client) end
  aio.gather(clients)
  bench.report(N, loop:time() - t)
end)
