-- x_context_gather: children of gather and of a group change only their own copies
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local var = aio.ContextVar("var", { default = 0 })

local function child(n)
  var:set(var:get() + n)
  aio.sleep(0)
  return var:get()
end

aio.run(function()
  var:set(10)
  local start = aio.async(child)
  say({ aio.gather(start(1), start(2), start(3)) }, var:get())
  local t = aio.TaskGroup(function(g)
    return g:create_task(child, 5)
  end)
  say(t:result(), var:get())
  say("awaited directly", child(7), var:get())
end)
