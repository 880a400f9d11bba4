-- x_never_retrieved_rules: which errors are reported as never looked at, and which are not
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function bad(n) error(ValueError(n)) end

-- A task that fails, what is done with it, and its collection.
local function lose(name, use)
  local function run()
    local t = aio.create_task(bad, name)
    aio.wait { t }
    use(t)
  end
  run()
  collectgarbage()
  collectgarbage()
  aio.sleep(0)
  aio.sleep(0)
end

aio.run(function()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(function(_, c) say("reported", c.exception.message) end)
  lose("unseen", function() end)
  lose("asked", function(t) t:exception() end)
  lose("waited only", function(t) aio.wait { t } end)
  lose("awaited", function(t) aio.catch(ValueError, t.await, t) end)
  lose("in gather", function(t) aio.gather({ t }, { return_exceptions = true }) end)
  lose("cancelled later", function(t) t:cancel() end)
  lose("future", function(t)
    t:exception()
    local f = loop:create_future()
    f:set_exception(ValueError("future"))
    f:cancel()
  end)
  say("end")
end)
