-- x_cancel_passes_down: a cancel goes down the chain of awaited tasks and unwinds it from below
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function leaf()
  local _ <close> = aio.defer(say, "leaf unwound")
  aio.sleep(10)
end

local function middle(t)
  local _ <close> = aio.defer(say, "middle unwound")
  t:await()
end

aio.run(function()
  local a = aio.create_task(leaf)
  local b = aio.create_task(middle, a)
  local c = aio.create_task(middle, b)
  aio.sleep(0.01)
  c:cancel()
  aio.wait { c }
  say({ a:cancelled(), b:cancelled(), c:cancelled() })
  say({ a:cancelling(), b:cancelling(), c:cancelling() })
end)
