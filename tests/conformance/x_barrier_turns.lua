-- x_barrier_turns: who leaves a barrier in which turn, and who comes while it drains
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function w(b, n, log)
  say("comes", n)
  local i = b:wait()
  say("leaves", n, b.n_waiting, b.broken)
  log[#log + 1] = i - 1
end

local function sorted(list)
  table.sort(list)
  return list
end

aio.run(function()
  local b = aio.Barrier(3)
  local log = {}
  say(b.parties, b.n_waiting, b.broken)
  local ts = {}
  for i = 0, 3 do ts[i + 1] = aio.create_task(w, b, i, log) end
  for i = 0, 4 do
    say("turn", i)
    aio.sleep(0)
  end
  say(sorted(log), b.n_waiting)
  for i = 4, 5 do ts[i + 1] = aio.create_task(w, b, i, log) end
  aio.gather(ts)
  say(sorted(log), b.n_waiting)
end)
