-- 166_handler_get_set_call: reading, replacing and calling the exception handler
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handler(_, ctx)
  say("handler:", ctx.message, ctx.extra)
end

aio.run(function()
  local loop = aio.get_running_loop()
  say("default", loop:get_exception_handler() == nil)
  loop:set_exception_handler(handler)
  say("set", loop:get_exception_handler() == handler)
  loop:call_exception_handler({ message = "custom", extra = 5 })
  loop:set_exception_handler(nil)
  say("default", loop:get_exception_handler() == nil)
  local ok, err = pcall(loop.set_exception_handler, loop, 3)
  if not ok and err:find("bad argument", 1, true) then
    say("error: not callable")
  end
end)
