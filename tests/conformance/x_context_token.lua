-- x_context_token: set gives a token, reset takes the old value back
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local var = aio.ContextVar("var")

aio.run(function()
  if not aio.catch(aio.LookupError, var.get, var) then
    say("error: no value")
  end
  say("given default", var:get("default"))
  local a = var:set(1)
  local b = var:set(2)
  say(var:get())
  var:reset(b)
  say(var:get())
  if not aio.catch(aio.RuntimeError, var.reset, var, b) then
    say("error: token used")
  end
  var:reset(a)
  say("unset again", var:get("none"))
end)
