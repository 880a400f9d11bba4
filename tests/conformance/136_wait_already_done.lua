-- 136_wait_already_done: wait over finished tasks returns at once
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function ok(n)
  return n
end

aio.run(function()
  local a = aio.create_task(ok, 1)
  a:await()
  local b = aio.create_task(aio.sleep, 10)
  local done, pending = aio.wait({ a, b }, { return_when = aio.FIRST_COMPLETED })
  say(#done, #pending)
  b:cancel()
  done, pending = aio.wait { a, b }
  say(#done, #pending, b:cancelled())
end)
