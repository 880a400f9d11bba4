-- SPDX-License-Identifier: MIT
-- Memory fails in generators: one that failed has ended, and what is left open is closed.
local aio = require "aio"

local kept

local function body(yield, log)
  local _ <close> = aio.defer(function() log.cleanups = log.cleanups + 1 end)
  for i = 1, 3 do
    aio.sleep(0)
    yield(i)
  end
end

aio.run(function()
  local log = { cleanups = 0 }
  local failure
  for _ = 1, 3 do
    local g = aio.generator(body, log)
    local ok, err = pcall(function()
      for i in g:closing() do
        if i == 2 then break end
      end
    end)
    if not ok then
      failure = failure or err
      assert(g() == nil, "a failed generator goes on")
    end
  end
  kept = aio.generator(body, log)
  kept()
  if failure then error(failure, 0) end
  assert(log.cleanups == 3)
end)
