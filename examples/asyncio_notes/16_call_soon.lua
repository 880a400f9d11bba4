-- Callbacks: call_soon runs a function with its arguments on the next turn of the loop, in order.
-- call_soon_threadsafe also wakes a loop that sleeps in the kernel: C hosts use it from threads.
local aio = require "aio"

local user = aio.ContextVar("user", { default = "nobody" })

local function main()
  local loop = aio.get_running_loop()
  loop:call_soon(print, "soon:", 1, 2, 3)
  loop:call_soon_threadsafe(print, "threadsafe:", "a", "b")
  local handle = loop:call_soon(print, "never")
  handle:cancel()

  -- a callback sees the context in which it was scheduled, or the one that is given
  local context = aio.copy_context()
  context:run(user.set, user, "Ada")
  local function who() print("user:", user:get()) end
  loop:call_soon(who)
  context:run(loop.call_soon, loop, who)

  print("nothing has run yet")
  aio.sleep(0)
  print("cancelled:", handle:cancelled())
end

aio.run(main)

-- prints:
-- nothing has run yet
-- soon:	1	2	3
-- threadsafe:	a	b
-- user:	nobody
-- user:	Ada
-- cancelled:	true
