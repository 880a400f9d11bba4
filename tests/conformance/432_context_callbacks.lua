-- 432_context_callbacks: callbacks capture the context of the scheduling moment
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local var = aio.ContextVar("var", { default = "none" })

local function tell(what)
  return function()
    say(what, var:get())
  end
end

aio.run(function()
  local loop = aio.get_running_loop()
  var:set("one")
  loop:call_soon(tell "soon")
  local f = loop:create_future()
  f:add_done_callback(tell "done callback")
  var:set("two")
  loop:call_later(0.01, tell "later")
  var:set("three")
  f:set_result()
  aio.sleep(0.03)
  say("main", var:get())
end)
