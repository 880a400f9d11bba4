-- x_handler_fails: the loop survives an exception handler that fails
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handler(_, ctx)
  say("handler called:", ctx.message)
  error("handler is broken")
end

aio.run(function()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(handler)
  loop:call_exception_handler({ message = "one" })
  loop:call_soon(function()
    loop:call_exception_handler({ message = "two" })
  end)
  aio.sleep(0)
  say("still running")
end)
