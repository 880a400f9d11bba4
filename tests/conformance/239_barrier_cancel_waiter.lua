-- 239_barrier_cancel_waiter: a cancelled party does not break the barrier
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local bar = aio.Barrier(2)
  local party = aio.async(function(n)
    bar:wait()
    say("passed", n)
  end)
  local a = party("a")
  aio.sleep(0.01)
  a:cancel()
  aio.wait({ a })
  say("a cancelled", a:cancelled(), "waiting", bar.n_waiting, "broken", bar.broken)
  aio.gather(party("b"), party("c"))
end)
