-- What the peers of `files` in Lua share: which files there are, and what they must contain.
local bench = require "bench"
local M = {}

local MIB, SIZE, LINE = 1024 * 1024, 1000, 64

-- Over the small files, so that a run is long beside its start.
local ROUNDS = 20

-- `more`: how many at once, or KiB in a block
function M.run(what, n, more, fns, run)
  local folder = assert(os.getenv("BENCH_FILES"), "bench/run.py sets BENCH_FILES")
  run(function()
    local start, ops = os.time(), n
    if what == "small" then
      local paths = {}
      for i = 1, n do paths[i] = folder .. "/" .. i end
      ops = n * ROUNDS
      for _ = 1, ROUNDS do assert(fns.small(paths, more) == n * SIZE) end
    elseif what == "lines" then
      assert(fns.lines(folder .. "/big") == n * MIB // LINE)
    else
      assert(fns.blocks(folder .. "/big", more) == n * MIB)
    end
    bench.report(ops, os.time() - start)
  end)
end

return M
