-- yield and send: a generator stops at `yield` until somebody takes its value, or sends it one.
-- This one may also wait. What is left open is closed by the loop: shutdown_asyncgens.
local aio = require "aio"

local function running_sum(yield)
  local _ <close> = aio.defer(print, "generator closed")
  local sum = 0
  while true do
    local number = yield(sum)
    aio.sleep(0.01)
    sum = sum + (number or 1)
  end
end

local function main()
  local g = aio.generator(running_sum)
  print("first:", g())
  print("send 10:", g:send(10))
  print("send 5:", g:send(5))
  for sum in g do
    print("next:", sum)
    if sum == 17 then break end
  end
  aio.get_running_loop():shutdown_asyncgens()
  print("after the end:", g())
end

aio.run(main)

-- prints:
-- first:	0
-- send 10:	10
-- send 5:	15
-- next:	16
-- next:	17
-- generator closed
-- after the end:	nil
