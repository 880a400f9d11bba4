-- x_wait_timeout: wait gives up after a while and cancels nothing
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local child = aio.async(function(n, delay)
  aio.sleep(delay)
  return n
end)

local function results(ts)
  local list = {}
  for i, t in ipairs(ts) do
    list[i] = t:result()
  end
  return list
end

aio.run(function()
  local ts = { child("fast", 0.005), child("slow", 0.2) }
  local done, pending = aio.wait(ts, { timeout = 0.08 })
  say(results(done), #pending, ts[2]:done())
  done, pending = aio.wait(ts, { timeout = 0 })
  say(#done, #pending)
  done, pending = aio.wait(ts)
  say(results(done), #pending)
  if not pcall(aio.wait, {}) then
    say("error: nothing to wait for")
  end
end)
