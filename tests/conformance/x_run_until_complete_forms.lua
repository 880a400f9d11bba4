-- x_run_until_complete_forms: run_until_complete of work, task, future; errors; twice; tasks
-- survive between
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function work(n)
  aio.sleep(0)
  say("work", n)
  return n
end

local function bad() error(ValueError("bad")) end

local function background()
  for i = 0, 3 do
    say("background", i)
    aio.sleep(0)
  end
end

local loop <close> = aio.new_event_loop()
say(loop:run_until_complete(function() return work(1) end))
local t = loop:create_task(work, 2)
say(loop:run_until_complete(t), t:done())
say(loop:run_until_complete(t))
local f = loop:create_future()
loop:call_soon(f.set_result, f, 3)
say(loop:run_until_complete(f))
local _, e = aio.catch(ValueError, loop.run_until_complete, loop, bad)
say("error", e.message)
local b = loop:create_task(background)
say(loop:run_until_complete(function() return work(4) end), b:done())
loop:run_until_complete(b)
f = loop:create_future()
f:cancel()
if not aio.catch(aio.CancelledError, loop.run_until_complete, loop, f) then say("cancelled") end
loop:close()
