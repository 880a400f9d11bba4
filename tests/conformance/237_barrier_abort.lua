-- 237_barrier_abort: abort breaks the barrier for current and later waiters
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local bar = aio.Barrier(3)
  local function party(n)
    if not aio.catch(aio.BrokenBarrierError, bar.wait, bar) then
      say("broken", n)
    end
  end
  local ts = { aio.create_task(party, 0), aio.create_task(party, 1) }
  aio.sleep(0.01)
  say("waiting", bar.n_waiting, "broken", bar.broken)
  bar:abort()
  aio.gather(ts)
  say("waiting", bar.n_waiting, "broken", bar.broken)
  party("late")
end)
