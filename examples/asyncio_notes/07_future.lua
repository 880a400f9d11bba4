-- A Future is a result that is not there yet. It stands between two worlds: code with callbacks
-- sets it, a task awaits it. A task is a future that is set by the end of its function.
local aio = require "aio"

-- what a library with callbacks looks like: it returns at once and calls back later
local function look_up(name, callback)
  aio.get_running_loop():call_later(0.05, callback, name .. " has number " .. #name)
end

local function function_that_returns_a_future_object(name)
  local future = aio.get_running_loop():create_future()
  look_up(name, function(answer) future:set_result(answer) end)
  return future
end

local function some_lua_function()
  return "a function is a job, too"
end

local function main()
  local future = function_that_returns_a_future_object("Ada")
  print("done:", future:done())
  print(future:await())
  print("done:", future:done())

  -- this is also valid
  print(aio.gather(function_that_returns_a_future_object("Grace"), some_lua_function))
end

aio.run(main)

-- prints:
-- done:	false
-- Ada has number 3
-- done:	true
-- Grace has number 5	a function is a job, too
