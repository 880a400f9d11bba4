-- x_group_nested_shape: errors of nested groups keep the shape of the nesting
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function fail(e, n)
  for _ = 1, n or 0 do aio.sleep(0) end
  error(e)
end

local function shape(e)
  if not e.errors then return e.message end
  local list = {}
  for i, x in ipairs(e.errors) do list[i] = shape(x) end
  return list
end

local function inner(a, b)
  local tg <close> = aio.TaskGroup()
  tg:create_task(fail, ValueError(a))
  tg:create_task(fail, ValueError(b))
end

aio.run(function()
  local _, eg = aio.catch(aio.ExceptionGroup, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(inner, "a", "b")
    tg:create_task(inner, "c", "d")
    tg:create_task(fail, ValueError("e"))
  end)
  say(shape(eg))
  local m, r = eg:split(ValueError)
  say(shape(m), r)
end)
