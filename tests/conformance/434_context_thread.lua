-- 434_context_thread: worker threads see a copy of the context
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local var = aio.ContextVar("var", { default = "none" })

local function work()
  local seen = var:get()
  var:set("thread")
  return seen
end

aio.run(function()
  var:set("main")
  say(aio.to_thread(work), var:get())
end)
