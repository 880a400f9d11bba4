-- 013_finally_order: cleanup handlers unwind inner to outer, may await
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function level(n)
  local _ <close> = aio.defer(function()
    aio.sleep(0)
    say("cleanup", n)
  end)
  if n == 3 then
    error(aio.RuntimeError("boom"))
  end
  level(n + 1)
end

aio.run(function()
  local _, err = aio.catch(aio.RuntimeError, level, 1)
  say("error:", err.message)
end)
