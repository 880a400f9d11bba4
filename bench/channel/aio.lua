-- N messages to a worker thread through a channel of CAP places; KIND 0: numbers, 1: small tables,
-- 2: numbers that come back, one at a time
local bench, aio = require "bench", require "aio"
local N, CAP, KIND = bench.arg(1, 1000000), bench.arg(2, 1000), bench.arg(3, 0)

local kinds = {
  [0] = function(there)
    local total = 0
    for x in there:items() do total = total + x end
    return total
  end,
  function(there)
    local total = 0
    for point in there:items() do total = total + point.x end
    return total
  end,
  function(there, back)
    local total = 0
    for x in there:items() do
      total = total + x
      back:send(x)
    end
    return total
  end,
}

aio.run(function()
  local loop = aio.get_running_loop()
  local executor <close> = aio.Executor { max_workers = 1 }
  local there, back = aio.Channel(CAP), aio.Channel(CAP)
  executor:submit(type, 1):await()
  local worker = executor:submit(kinds[KIND], there, back)
  local t = loop:time()
  for i = 1, N do
    there:send(KIND == 1 and { x = i, y = 0.5, name = "point" } or i)
    if KIND == 2 then back:recv() end
  end
  there:close()
  local total = worker:await()
  bench.report(N, loop:time() - t)
  assert(total == N * (N + 1) // 2)
end)
