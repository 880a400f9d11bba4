-- x_future_remove_callback: removal counts, a callback added twice runs twice, cancel runs
-- callbacks
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local f = aio.get_running_loop():create_future()
  local function one(fut)
    say("one", fut:cancelled())
  end
  local function two(fut)
    say("two", fut:cancelled())
  end
  for _, cb in ipairs { one, two, one, two, one } do
    f:add_done_callback(cb)
  end
  say("removed", f:remove_done_callback(one))
  say("removed", f:remove_done_callback(one))
  f:cancel()
  say("cancelled")
  aio.sleep(0)
  say("end")
end)
