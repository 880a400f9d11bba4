-- 235_barrier_basic: all parties leave together; each gets a distinct index (from 1 in Lua)
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local bar = aio.Barrier(3)
  local got = {}
  local party = aio.async(function(n)
    say("arrive", n)
    table.insert(got, bar:wait() - 1)
  end)
  aio.gather(party(0), party(1), party(2))
  table.sort(got)
  say("indexes", got, "parties", bar.parties, "waiting", bar.n_waiting)
end)
