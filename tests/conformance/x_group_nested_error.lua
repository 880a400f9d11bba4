-- x_group_nested_error: an error in an inner group cancels the outer one's children too
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local function sleeper(n)
  local _ <close> = aio.defer(say, "cancelled", n)
  aio.sleep(10)
end

local function bad()
  aio.sleep(0.01)
  error(ValueError("boom"))
end

local function inner()
  local g <close> = aio.TaskGroup()
  g:create_task(sleeper, "inner")
  g:create_task(bad)
end

aio.run(function()
  local ok, err = aio.catch(aio.ExceptionGroup, function()
    local g <close> = aio.TaskGroup()
    g:create_task(sleeper, "outer")
    g:create_task(inner)
  end)
  if not ok then
    say("group of", #err.errors, "with a group of", #err.errors[1].errors)
    say(err.errors[1].errors[1].message)
  end
end)
