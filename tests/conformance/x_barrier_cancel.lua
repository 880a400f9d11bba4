-- x_barrier_cancel: a barrier whose waiter is cancelled as the last party comes, and while it
-- fills
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function w(b, n)
  local ok, e = aio.catch({ aio.CancelledError, aio.BrokenBarrierError }, b.wait, b)
  if ok then
    say("through", n)
  elseif aio.is(e, aio.CancelledError) then
    say("cancelled", n, b.n_waiting, b.broken)
    error(e)
  else
    say("broken", n)
  end
end

aio.run(function()
  local b = aio.Barrier(3)
  local ts = {}
  for i = 0, 1 do ts[i + 1] = aio.create_task(w, b, i) end
  aio.sleep(0)
  ts[1]:cancel()
  aio.sleep(0)
  say(b.n_waiting)
  for i = 2, 3 do ts[i + 1] = aio.create_task(w, b, i) end
  aio.wait(ts)
  local list = {}
  for i, t in ipairs(ts) do list[i] = t:cancelled() end
  say(list, b.n_waiting, b.broken)
  b = aio.Barrier(2)
  local a = aio.create_task(w, b, "a")
  aio.sleep(0)
  local c = aio.create_task(w, b, "c")
  aio.sleep(0)
  a:cancel()
  aio.wait { a, c }
  say(a:cancelled(), c:cancelled(), b.n_waiting)
end)
