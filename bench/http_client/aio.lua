local aio, http, bench = require "aio", require "aio.http", require "bench"
local port, n, tasks = bench.arg(1), bench.arg(2, 30000), bench.arg(3, 32)

aio.run(function()
  local session <close> = http.ClientSession()
  local url, left, began = ("http://127.0.0.1:%d/"):format(port), n, bench.cpu()
  local function work()
    while left > 0 do
      left = left - 1
      local res = session:get(url)
      assert(res.status == 200 and #res:read() > 0)
    end
  end
  local all = {}
  for i = 1, tasks do all[i] = aio.create_task(work) end
  aio.gather(all)
  bench.report(n, bench.cpu() - began)
end)
