-- x_wait_first_completed: wait returns at the first end, of whatever kind
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local child = aio.async(function(n, delay, bad)
  aio.sleep(delay)
  if bad then
    error(ValueError(n))
  end
  return n
end)

local first = { return_when = aio.FIRST_COMPLETED }

aio.run(function()
  local ts = { child("slow", 0.2), child("bad", 0.005, true), child("good", 0.08) }
  local place = { [ts[1]] = 0, [ts[2]] = 1, [ts[3]] = 2 }
  local done
  local pending = ts
  while #pending > 0 do
    done, pending = aio.wait(pending, first)
    for _, t in ipairs(done) do
      local err = t:exception()
      say(place[t], err and err.message, "pending", #pending)
    end
  end
  done, pending = aio.wait({ child("x", 0), child("y", 0), child("z", 0) }, first)
  say("same turn", #done, #pending)
end)
