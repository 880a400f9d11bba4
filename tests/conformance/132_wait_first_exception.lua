-- 132_wait_first_exception: wait returns at the first error; cancellation does not count
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local function bad(delay)
  aio.sleep(delay)
  error(ValueError("boom"))
end

local function contains(list, item)
  for _, v in ipairs(list) do
    if v == item then
      return true
    end
  end
  return false
end

aio.run(function()
  local a = aio.create_task(aio.sleep, 0.01)
  local b = aio.create_task(bad, 0.03)
  local c = aio.create_task(aio.sleep, 0.5)
  local d = aio.create_task(aio.sleep, 0.5)
  aio.sleep(0)
  d:cancel()
  local done, pending = aio.wait({ a, b, c, d }, { return_when = aio.FIRST_EXCEPTION })
  say("done", #done, "pending", #pending)
  say("a", contains(done, a), "b", contains(done, b), "c pending", contains(pending, c),
    "d cancelled", d:cancelled())
  say("error:", b:exception().message)
  c:cancel()
end)
