-- x_process_two_waiters: two tasks wait for a process, one is cancelled, the process runs on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function waiter(p, n)
  local ok, r = aio.catch(aio.CancelledError, p.wait, p)
  if not ok then
    say("cancelled", n, p.returncode)
    error(r)
  end
  say("ended", n, r)
end

aio.run(function()
  local p = aio.create_subprocess_exec("sh", "-c", "read x; exit $x", { stdin = aio.PIPE })
  local a, b = aio.create_task(waiter, p, "a"), aio.create_task(waiter, p, "b")
  aio.sleep(0.01)
  a:cancel()
  aio.wait { a }
  p.stdin:write("7\n")
  p.stdin:drain()
  b:await()
  say(p.returncode)
end)
