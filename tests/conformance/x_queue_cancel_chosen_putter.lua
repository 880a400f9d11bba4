-- x_queue_cancel_chosen_putter: a putter cancelled when its place became free passes the place on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function putter(q, n)
  local ok, e = aio.catch(aio.CancelledError, q.put, q, n)
  if not ok then
    say("cancelled", n)
    error(e)
  end
  say("put", n)
end

aio.run(function()
  local q = aio.Queue(1)
  q:put_nowait(0)
  local a = aio.create_task(putter, q, "a")
  aio.create_task(putter, q, "b")
  aio.sleep(0)
  say(q:get_nowait())
  a:cancel()
  for i = 0, 3 do
    say("turn", i, q:qsize(), q:full())
    aio.sleep(0)
  end
  say(q:get_nowait(), q:empty())
end)
