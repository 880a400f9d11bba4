-- 021_leftover_error_at_shutdown: an error raised while leftovers are cancelled reaches the
-- exception handler
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function stubborn()
  if not aio.catch(aio.CancelledError, aio.sleep, 10) then
    error(aio.RuntimeError("cleanup failed"))
  end
end

local function handler(_, ctx)
  say("handler error:", ctx.exception.message, "has task", ctx.task ~= nil)
end

aio.run(function()
  aio.get_running_loop():set_exception_handler(handler)
  aio.create_task(stubborn)
  aio.sleep(0)
  say("main ends")
end)
say("after run")
