-- x_wait_for_inner_cancelled: a cancel of the work itself is not a timeout
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local t = aio.create_task(aio.sleep, 10)
  aio.get_running_loop():call_later(0.01, t.cancel, t)
  local _, err = aio.catch({ aio.TimeoutError, aio.CancelledError }, aio.wait_for, t, 5)
  if aio.is(err, aio.TimeoutError) then
    say("not printed")
  else
    say("cancelled; own requests", aio.current_task():cancelling())
  end
end)
