-- N datagrams of SIZE bytes there and back between two endpoints, one at a time: callbacks
local bench, uv = require "bench", require "luv"
local N, SIZE = bench.arg(1, 200000), bench.arg(2, 64)
local server, client, data, n = uv.new_udp(), uv.new_udp(), ("x"):rep(SIZE), 0
assert(server:bind("127.0.0.1", 0))
assert(client:connect("127.0.0.1", server:getsockname().port))
local t = uv.hrtime()
server:recv_start(function(_, got, from)
  if got then server:try_send(got, from.ip, from.port) end
end)
client:recv_start(function(_, got)
  if not got then return end
  assert(got == data)
  n = n + 1
  if n < N then
    client:try_send(data, nil, nil)
  else
    server:close()
    client:close()
  end
end)
client:try_send(data, nil, nil)
uv.run()
bench.report(N, (uv.hrtime() - t) / 1e9)
