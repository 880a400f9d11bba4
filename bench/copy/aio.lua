-- A value of some KIB KiB goes to a worker thread, N times; an operation is a KiB. KIND 0: a list
-- of records, 1: a list of numbers, 2: one string
local bench, aio = require "bench", require "aio"
local N, KIB, KIND = bench.arg(1, 200), bench.arg(2, 1024), bench.arg(3, 0)

local function value()
  if KIND == 2 then return ("x"):rep(KIB * 1024) end
  local list = {}
  if KIND == 1 then
    for i = 1, KIB * 128 do list[i] = i + 0.5 end
  else -- 64 bytes each: two numbers, a name and a flag, with their keys
    for i = 1, KIB * 16 do list[i] = { id = i, x = i / 2, name = "record " .. i, ok = true } end
  end
  return list
end

aio.run(function()
  local loop = aio.get_running_loop()
  local executor <close> = aio.Executor { max_workers = 1 }
  local sent = value()
  local function work(v) return #v end
  executor:submit(work, ""):await()
  local t = loop:time()
  for _ = 1, N do assert(executor:submit(work, sent):await() == #sent) end
  bench.report(N * KIB, loop:time() - t)
end)
