-- x_handler_context: the exception handler runs in the context of whom it is told about
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local name = aio.ContextVar("name", { default = "none" })

local function failing(who)
  name:set(who)
  error("failed", 0)
end

aio.run(function()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(function(_, ctx)
    say("handler", name:get(), ctx.exception)
    if ctx.task and not ctx.task:done() then name:set("handler") end
  end)
  name:set("main")
  loop:call_soon(failing, "callback")
  aio.sleep(0)
  aio.create_task(failing, "task")
  aio.sleep(0.001)
  collectgarbage()
  collectgarbage()
  aio.sleep(0)
  do
    local f = loop:create_future()
    f:set_exception("nobody looks")
  end
  collectgarbage()
  collectgarbage()
  aio.sleep(0)
  local t = aio.create_task(function()
    name:set("other")
    aio.sleep(0.001)
    say("other goes on as", name:get())
  end)
  aio.sleep(0)
  loop:call_exception_handler { message = "by hand", task = t }
  say("main", name:get())
  t:await()
end)
