-- x_queue_put_cancel: a cancelled producer puts nothing and passes its place on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue(1)
  q:put_nowait("first")
  local producer = aio.async(function(v)
    local ok = aio.catch(aio.CancelledError, q.put, q, v)
    say(ok and "put" or "cancelled", v)
  end)
  local a, b = producer("a"), producer("b")
  aio.sleep(0)
  say(q:get_nowait())
  a:cancel()
  aio.gather(a, b)
  say(q:get(), "left", q:qsize())
end)
