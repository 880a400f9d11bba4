-- 206_lock_held_across_error: the scoped form releases on error and cancel
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function bad(lock)
  local _ <close> = lock:acquire()
  error(ValueError("boom"))
end

local function slow(lock)
  local _ <close> = lock:acquire()
  aio.sleep(10)
end

aio.run(function()
  local lock = aio.Lock()
  local ok, err = aio.catch(ValueError, bad, lock)
  if not ok then
    say("error:", err.message, "locked", lock:locked())
  end
  local t = aio.create_task(slow, lock)
  aio.sleep(0.01)
  say("locked", lock:locked())
  t:cancel()
  aio.wait({ t })
  say("locked", lock:locked())
end)
