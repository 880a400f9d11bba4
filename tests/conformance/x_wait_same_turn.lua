-- x_wait_same_turn: two tasks that end in the same turn are both done
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function work(event, n)
  event:wait()
  return n
end

aio.run(function()
  local event = aio.Event()
  local a = aio.create_task(work, event, 1)
  local b = aio.create_task(work, event, 2)
  local never = aio.create_task(aio.sleep, 10)
  aio.get_running_loop():call_soon(event.set, event)
  local done, pending = aio.wait({ a, b, never }, { return_when = aio.FIRST_COMPLETED })
  say({ done[1]:result(), done[2]:result() }, "pending", #pending)
  never:cancel()
end)
