-- 088_group_inner_handles_error: handling inside a child keeps the group alive
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function risky(n)
  local ok, result = aio.catch(ValueError, function()
    if n == 2 then
      error(ValueError("boom"))
    end
    aio.sleep(0.01)
    return "ok " .. n
  end)
  return ok and result or "handled " .. result.message
end

aio.run(function()
  local tasks = {}
  do
    local tg <close> = aio.TaskGroup()
    for n = 1, 3 do
      tasks[n] = tg:create_task(risky, n)
    end
  end
  say(aio.gather(tasks))
end)
