-- x_task_names: names, results and errors of tasks looked at from outside
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function good()
  return aio.current_task():get_name()
end

local function bad()
  error(ValueError("boom"))
end

aio.run(function()
  local a = aio.create_task_with({ name = "first" }, good)
  local b = aio.create_task(bad)
  b:set_name("second")
  if not aio.catch(aio.InvalidStateError, a.result, a) then
    say("error: not done")
  end
  aio.wait { a, b }
  say(a:get_name(), a:result(), a:exception())
  say(b:get_name(), b:exception().message)
  local ok, err = aio.catch(ValueError, b.result, b)
  if not ok then
    say("error:", err.message)
  end
  say(aio.isfuture(a), aio.isfuture(3), aio.ensure_future(a) == a)
end)
