-- x_loop_stopped_before: a loop stopped before its future is done raises, the task can go on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function work()
  say("begin")
  aio.sleep(0.002)
  say("end")
  return 5
end

local loop <close> = aio.new_event_loop()
local t = loop:create_task(work)
loop:call_soon(loop.stop, loop)
if not aio.catch(aio.RuntimeError, loop.run_until_complete, loop, t) then say("stopped before") end
say(t:done())
say(loop:run_until_complete(t))
loop:close()
for _, f in ipairs {
  function() loop:call_soon(say) end,
  function() loop:run_forever() end,
  function() loop:call_later(1, say) end,
} do
  if not aio.catch(aio.RuntimeError, f) then say("closed") end
end
