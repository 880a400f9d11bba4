-- 017_run_nested_fails: starting a second loop inside a running loop is an error
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function other() end

aio.run(function()
  if not aio.catch(aio.RuntimeError, aio.run, other) then
    say("error: loop already running")
  end
  say("still alive")
end)
