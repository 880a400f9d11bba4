-- x_context_copy_run: a copied context keeps its own values, run works in it
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local var = aio.ContextVar("var", { default = "none" })

local function change(v)
  local old = var:get()
  var:set(v)
  return old
end

local function tell()
  say("callback", var:get())
end

local function child()
  say("task in copy", var:get())
  var:set("by task")
end

aio.run(function()
  local loop = aio.get_running_loop()
  var:set("main")
  local ctx = aio.copy_context()
  var:set("later")
  say("in copy", ctx:run(change, "changed"))
  say("outside", var:get(), "copy", ctx:get(var))
  say("again", ctx:run(var.get, var))
  ctx:run(loop.call_soon, loop, tell)
  aio.sleep(0)
  aio.create_task_with({ context = ctx }, child):await()
  say("task set", ctx:get(var), "outside", var:get())
end)
