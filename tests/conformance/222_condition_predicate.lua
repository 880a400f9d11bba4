-- 222_condition_predicate: wait_for rechecks its predicate at each notification
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local cond = aio.Condition()
  local n = 0
  local t = aio.create_task(function()
    local _ <close> = cond:acquire()
    local r = cond:wait_for(function()
      return n >= 3 and "ready"
    end)
    say(r, n)
  end)
  for _ = 1, 4 do
    aio.sleep(0.005)
    local _ <close> = cond:acquire()
    n = n + 1
    say("n", n)
    cond:notify_all()
  end
  t:await()
end)
