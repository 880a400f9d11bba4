-- x_task_result_states: result and exception of a task in every state
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function ask(name, method, task)
  local classes = { aio.InvalidStateError, aio.CancelledError, ValueError }
  local ok, value = aio.catch(classes, method, task)
  if ok then
    say(name, aio.is(value, ValueError) and value.message or value)
  elseif aio.is(value, aio.InvalidStateError) then
    say(name, "invalid state")
  elseif aio.is(value, aio.CancelledError) then
    say(name, "cancelled")
  else
    say(name, "raises", value.message)
  end
end

aio.run(function()
  local f1, f2, f3 = aio.Future(), aio.Future(), aio.Future()
  local t1 = aio.create_task(aio.await, f1)
  local t2 = aio.create_task(aio.await, f2)
  local t3 = aio.create_task(aio.await, f3)
  aio.sleep(0)
  ask("pending result", t1.result, t1)
  ask("pending exception", t1.exception, t1)
  f1:set_result("value")
  f2:set_exception(ValueError("boom"))
  t3:cancel()
  aio.wait { t1, t2, t3 }
  ask("done result", t1.result, t1)
  ask("done exception", t1.exception, t1)
  ask("failed result", t2.result, t2)
  ask("failed exception", t2.exception, t2)
  ask("cancelled result", t3.result, t3)
  ask("cancelled exception", t3.exception, t3)
  say({ t1:done(), t2:done(), t3:done() }, { t1:cancelled(), t2:cancelled(), t3:cancelled() })
end)
