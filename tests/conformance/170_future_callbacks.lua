-- 170_future_callbacks: callbacks run in order on the next turn, also when added late
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local f = aio.get_running_loop():create_future()
  for n = 1, 3 do
    f:add_done_callback(function(fut)
      say("callback", n, fut:result())
    end)
  end
  f:set_result("v")
  say("set")
  aio.sleep(0)
  f:add_done_callback(function(fut)
    say("late", fut:result())
  end)
  say("added late")
  aio.sleep(0)
  say("end")
end)
