-- x_cancel_from_callbacks: a done callback cancels another task, a timer cancels a third
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function sleeper(n)
  local ok, e = aio.catch(aio.CancelledError, aio.sleep, 10)
  if not ok then
    say(n, "cancelled", e.message)
    error(e)
  end
end

local function quick() say("quick") end

aio.run(function()
  local loop = aio.get_running_loop()
  local a = aio.create_task(sleeper, "a")
  local b = aio.create_task(sleeper, "b")
  local q = aio.create_task(quick)
  q:add_done_callback(function() say("cancel a", a:cancel("from callback")) end)
  loop:call_later(0.005, b.cancel, b, "from timer")
  local _, errs = aio.gather({ a, b }, { return_exceptions = true })
  say({ errs[1].name, errs[2].name })
end)
