-- SPDX-License-Identifier: MIT
-- Tasks at both ends of a channel, closing, and select.
local aio = require "aio"

aio.run(function()
  local channel, got = aio.Channel(2), {}
  local receiver = aio.create_task(function()
    for item in channel:items() do got[#got + 1] = item[1] end
  end)
  for i = 1, 6 do channel:send { i, ("x"):rep(3000) } end
  channel:close()
  receiver:await()
  assert(#got == 6)
  local a, b = aio.Channel(1), aio.Channel(1)
  local chooser = aio.create_task(aio.select, { { a, "recv" }, { b, "recv" } })
  aio.sleep(0)
  b:send "b"
  assert(select(2, chooser:await()) == "b")
  assert(aio.select { { a, "send", { 1 } } } == 1)
end)
print "received"
