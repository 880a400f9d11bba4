-- x_same_error: the error object that was raised reaches every waiter, gather and result()
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function bad(e) error(e) end

aio.run(function()
  local e = ValueError("one")
  local t = aio.create_task(bad, e)
  local function waiter()
    local _, x = aio.catch(ValueError, t.await, t)
    say("same", x == e)
  end
  aio.gather(waiter, function() waiter() end)
  say(t:exception() == e)
  local _, x = aio.catch(ValueError, t.result, t)
  say(x == e)
  _, x = aio.catch(ValueError, aio.gather, t, function() aio.sleep(0) end)
  say(x == e)
  local _, errs = aio.gather({ t }, { return_exceptions = true })
  say(errs[1] == e)
  _, x = aio.catch(ValueError, function() aio.shield(t):await() end)
  say(x == e)
  _, x = aio.catch(ValueError, aio.wait_for, t, 1)
  say(x == e)
end)
