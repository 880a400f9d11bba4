-- x_context_done_callback: a done callback runs in the context given with it, or in the current one
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local var = aio.ContextVar("var", { default = "none" })

local function tell(what)
  return function()
    say(what, var:get())
  end
end

local function child()
  say("child", var:get())
  var:set("child's")
  aio.get_running_loop():call_soon(tell "child's callback")
end

aio.run(function()
  var:set("one")
  local ctx = aio.copy_context()
  var:set("two")
  local f = aio.Future()
  f:add_done_callback(tell "given", { context = ctx })
  f:add_done_callback(tell "current")
  var:set("three")
  f:set_result()
  aio.sleep(0)
  aio.create_task(child):await()
  aio.sleep(0)
  say("main", var:get())
end)
