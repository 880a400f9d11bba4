-- x_gather_errors_mixed: results, errors, cancelled children and futures in one list
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local KeyError = aio.Error:extend("KeyError")
local function ok(n) return n end
local function bad(n) error(ValueError(n)) end

aio.run(function()
  local loop = aio.get_running_loop()
  local f, g = loop:create_future(), loop:create_future()
  local t = aio.create_task(aio.sleep, 10)
  loop:call_soon(f.set_exception, f, KeyError("f"))
  loop:call_soon(g.cancel, g)
  loop:call_soon(t.cancel, t)
  local jobs = {
    aio.create_task(ok, 1), f, aio.create_task(bad, "x"), g, t, aio.create_task(ok, 2),
  }
  local r, errs = aio.gather(jobs, { return_exceptions = true })
  local list = {}
  for i = 1, #jobs do list[i] = errs[i] and errs[i].name or r[i] end
  say(list)
end)
