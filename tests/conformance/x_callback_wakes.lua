-- x_callback_wakes: a callback starts a task, sets an event and puts into a queue
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child(n) say("child", n) end

aio.run(function()
  local loop = aio.get_running_loop()
  local ev, q = aio.Event(), aio.Queue()
  local function cb()
    say("callback")
    loop:create_task(child, 1)
    ev:set()
    q:put_nowait("item")
    loop:call_soon(say, "soon")
  end
  loop:call_soon(cb)
  local function waiter()
    ev:wait()
    say("event")
  end
  local function getter() say((q:get())) end
  local a, b = aio.create_task(waiter), aio.create_task(getter)
  aio.sleep(0)
  say("main 1")
  aio.sleep(0)
  say("main 2")
  a:await()
  b:await()
end)
