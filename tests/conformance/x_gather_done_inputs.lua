-- x_gather_done_inputs: gather over finished tasks and futures keeps their order
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ok = aio.async(function(name)
  return name
end)

aio.run(function()
  local f = aio.get_running_loop():create_future()
  f:set_result("future")
  local t = ok("task")
  t:await()
  say(aio.gather { f, ok("new"), t })
end)
