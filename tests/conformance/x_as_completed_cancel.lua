-- x_as_completed_cancel: cancelling who waits in as_completed leaves the tasks alone
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function work(n, d)
  aio.sleep(d)
  say("work", n)
  return n
end

local function consumer(ts)
  local ok, e = aio.catch(aio.CancelledError, function()
    for t in aio.as_completed(ts) do say("got", t:await()) end
  end)
  if not ok then
    say("consumer cancelled")
    error(e)
  end
end

aio.run(function()
  local ts = { aio.create_task(work, 1, 0.02), aio.create_task(work, 2, 0.001) }
  local c = aio.create_task(consumer, ts)
  aio.sleep(0.01)
  c:cancel()
  aio.wait { c }
  say({ ts[1]:done(), ts[2]:done() })
  aio.wait(ts)
  say({ ts[1]:cancelled(), ts[2]:cancelled() })
end)
