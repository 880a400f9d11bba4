-- x_barrier_states: abort, reset with and without waiters, a broken barrier after reset, one party
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function w(b, n)
  local ok = aio.catch(aio.BrokenBarrierError, b.wait, b)
  if ok then
    say("through", n)
  else
    say("broken", n, b.broken)
  end
end

aio.run(function()
  local b = aio.Barrier(1)
  say(b:wait() - 1, b.n_waiting)
  b = aio.Barrier(2)
  b:reset()
  say(b.broken)
  local t = aio.create_task(w, b, 1)
  aio.sleep(0)
  say(b.n_waiting)
  b:reset()
  t:await()
  say(b.broken, b.n_waiting)
  t = aio.create_task(w, b, 2)
  aio.sleep(0)
  b:abort()
  t:await()
  say(b.broken)
  w(b, 3)
  b:reset()
  say(b.broken)
  local job = aio.async(w)
  aio.gather(job(b, 4), job(b, 5))
  if not pcall(aio.Barrier, 0) then say("no parties") end
  aio.Barrier(1):wait()
  say("in scope")
end)
