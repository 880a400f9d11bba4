-- x_task_never_retrieved: an error nobody looked at is reported when the task is collected
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function bad(m)
  error(ValueError(m))
end

local function looked_at()
  local t = aio.create_task(bad, "looked at")
  aio.sleep(0)
  say("exception", t:exception().message)
end

local function ignored()
  local t = aio.create_task(bad, "ignored")
  aio.sleep(0)
  say("done", t:done())
end

aio.run(function()
  aio.get_running_loop():set_exception_handler(function(_, ctx)
    say("handler:", ctx.exception.message)
  end)
  looked_at()
  collectgarbage()
  ignored()
  collectgarbage()
  aio.sleep(0)
  say("end")
end)
