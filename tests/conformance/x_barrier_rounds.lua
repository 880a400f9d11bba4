-- x_barrier_rounds: a barrier is used again and again; one index is the leader's (from 1 in Lua)
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local bar = aio.Barrier(3)
  local leaders = {}
  local party = aio.async(function(n)
    for turn = 0, 1 do
      aio.sleep(0.002 * n)
      if bar:wait() == 1 then
        table.insert(leaders, turn)
      end
    end
  end)
  aio.gather(party(0), party(1), party(2))
  say("one leader a round", leaders)
  local solo = aio.Barrier(1)
  say("alone", solo:wait() - 1, solo.n_waiting)
  if not pcall(aio.Barrier, 0) then
    say("error: no parties")
  end
end)
