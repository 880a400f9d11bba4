-- 186_executor_cancel: the waiter is cancelled at once, the thread goes on until it has finished.
-- What Python's thread does because nothing can stop it, a `<close>` handler does here.
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function work(started, log)
  local _ <close> = aio.defer(log.send, log, "worker finished")
  started:send(true)
  os.execute("sleep 0.5")
end

local function contents(log)
  local list = {}
  while log:qsize() > 0 do list[#list + 1] = log:recv() end
  return list
end

aio.run(function()
  local started, log = aio.Channel(1), aio.Channel(10)
  local t = aio.create_task(aio.to_thread, work, started, log)
  started:recv()
  t:cancel()
  local ok, err = pcall(t.await, t)
  assert(not ok and aio.is(err, aio.CancelledError))
  say("cancelled, worker log", contents(log))
  while log:qsize() == 0 do aio.sleep(0.01) end
  say(contents(log))
end)
