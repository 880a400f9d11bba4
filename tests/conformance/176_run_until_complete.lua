-- 176_run_until_complete: results, errors, and stopping before completion
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function good()
  aio.sleep(0)
  return 1
end

local function bad()
  error(ValueError("boom"))
end

local loop <close> = aio.new_event_loop()
say(loop:run_until_complete(good))
local ok, err = aio.catch(ValueError, loop.run_until_complete, loop, bad)
if not ok then
  say("error:", err.message)
end
local f = loop:create_future()
loop:call_soon(loop.stop, loop)
if not aio.catch(aio.RuntimeError, loop.run_until_complete, loop, f) then
  say("error: stopped before completion")
end
f:cancel()
loop:close()
