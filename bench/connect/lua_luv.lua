-- N connections to a server of its own, CLIENTS at a time; the server closes each first
local bench, uv = require "bench", require "luv"
local N, CLIENTS = bench.arg(1, 30000), bench.arg(2, 10)
local server, left, t = uv.new_tcp(), N, uv.hrtime()
assert(server:bind("127.0.0.1", 0))
assert(server:listen(1024, function()
  local conn = uv.new_tcp()
  server:accept(conn)
  conn:close()
end))
local port = server:getsockname().port

local function client(n)
  local conn = uv.new_tcp()
  conn:connect("127.0.0.1", port, function(err)
    assert(not err, err)
    conn:read_start(function(_, data)
      assert(data == nil)
      conn:close()
      left = left - 1
      if left == 0 then server:close() end
      if n > 1 then client(n - 1) end
    end)
  end)
end
for _ = 1, CLIENTS do client(N // CLIENTS) end
uv.run()
bench.report(N, (uv.hrtime() - t) / 1e9)
