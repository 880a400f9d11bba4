-- x_callback_error: an error in a callback goes to the handler, the loop goes on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function bad(n)
  error(ValueError(n))
end

aio.run(function()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(function(l, ctx)
    say("handler:", ctx.exception.message, ctx.handle ~= nil, l == loop)
  end)
  loop:call_soon(bad, "soon")
  loop:call_later(0.01, bad, "later")
  loop:call_soon(say, "next callback")
  aio.sleep(0.02)
  say("end")
end)
