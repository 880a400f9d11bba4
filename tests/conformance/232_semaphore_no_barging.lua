-- 232_semaphore_no_barging: a released slot belongs to the first waiter
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local sem = aio.Semaphore(1)
  sem:acquire()
  local t = aio.create_task(function()
    sem:acquire()
    say("waiter got it")
    sem:release()
  end)
  aio.sleep(0)
  sem:release()
  say("locked for newcomers", sem:locked())
  sem:acquire()
  say("main got it")
  t:await()
end)
