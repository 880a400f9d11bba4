-- x_runner_errors: errors leave run, the runner stays usable; closed and nested use is refused
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function bad()
  error(ValueError("boom"))
end

local function good()
  return "good"
end

local r <close> = aio.Runner()
local ok, err = aio.catch(ValueError, r.run, r, bad)
if not ok then
  say("error:", err.message)
end
say(r:run(good))
r:run(function()
  if not aio.catch(aio.RuntimeError, r.run, r, good) then
    say("error: nested")
  end
end)
r:close()
r:close()
if not aio.catch(aio.RuntimeError, r.run, r, good) then
  say("error: closed")
end
