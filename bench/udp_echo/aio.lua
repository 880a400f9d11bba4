-- N datagrams of SIZE bytes there and back between two endpoints, one at a time
local bench, aio = require "bench", require "aio"
local N, SIZE = bench.arg(1, 200000), bench.arg(2, 64)
local function serve(d)
  for data, from in d:datagrams() do d:send(data, from) end
end
aio.run(function()
  local loop, data = aio.get_running_loop(), ("x"):rep(SIZE)
  local server <close> = aio.open_datagram { local_addr = { "127.0.0.1", 0 } }
  local client <close> = aio.open_datagram { remote_addr = server:get_extra_info "sockname" }
  aio.create_task(serve, server)
  local t = loop:time()
  for _ = 1, N do
    client:send(data)
    assert(client:recv() == data)
  end
  bench.report(N, loop:time() - t)
end)
