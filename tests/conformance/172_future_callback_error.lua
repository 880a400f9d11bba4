-- 172_future_callback_error: an error in a done callback is reported, later callbacks still run
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

aio.run(function()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(function(_, ctx)
    say("handler:", ctx.exception.message)
  end)
  local f = loop:create_future()
  f:add_done_callback(function()
    error(ValueError("boom"))
  end)
  f:add_done_callback(function()
    say("second")
  end)
  f:set_result(1)
  aio.sleep(0)
  say("end")
end)
