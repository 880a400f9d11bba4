-- x_lock_cancel_granted: a waiter cancelled after it was chosen passes the lock on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local lock = aio.Lock()
  local waiter = aio.async(function(n)
    local ok, err = aio.catch(aio.CancelledError, lock.acquire, lock)
    if not ok then
      say("cancelled", n)
      error(err, 0)
    end
    say("got", n)
    lock:release()
  end)
  lock:acquire()
  local a, b, c = waiter("a"), waiter("b"), waiter("c")
  aio.sleep(0)
  lock:release()
  a:cancel()
  aio.wait { a, b, c }
  say("locked", lock:locked(), { a:cancelled(), b:cancelled(), c:cancelled() })
end)
