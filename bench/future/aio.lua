-- N cycles of: make a future, set its result, await it (MODE 0), or await it while a later callback
-- sets it (MODE 1)
local bench, aio = require "bench", require "aio"
local N, MODE = bench.arg(1, 1000000), bench.arg(2, 0)
aio.run(function()
  local loop, total = aio.get_running_loop(), 0
  local t = loop:time()
  for i = 0, N - 1 do
    local f = loop:create_future()
    if MODE == 1 then loop:call_soon(f.set_result, f, i) else f:set_result(i) end
    total = total + f:await()
  end
  bench.report(N, loop:time() - t)
  assert(total == N * (N - 1) // 2)
end)
