-- x_queue_cancel_chosen_getter: a getter cancelled in the turn of the put: the item goes to the
-- next getter
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function getter(q, n)
  local ok, e = aio.catch(aio.CancelledError, function() say("got", n, q:get()) end)
  if not ok then
    say("cancelled", n, q:qsize())
    error(e)
  end
end

aio.run(function()
  local q = aio.Queue()
  local a = aio.create_task(getter, q, "a")
  aio.create_task(getter, q, "b")
  aio.sleep(0)
  q:put_nowait(1)
  a:cancel()
  for i = 0, 3 do
    say("turn", i, q:qsize())
    aio.sleep(0)
  end
  a = aio.create_task(getter, q, "c")
  aio.sleep(0)
  q:put_nowait(2)
  a:cancel()
  aio.wait { a }
  say(q:get_nowait())
end)
