-- x_agen_send: values sent into a generator
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function averager(yield)
  local total, count = 0, 0
  local value = yield("ready")
  while true do
    total = total + value
    count = count + 1
    aio.sleep(0)
    value = yield(total // count)
  end
end

aio.run(function()
  local g = aio.generator(averager)
  say(g:send(nil))
  for _, v in ipairs { 10, 20, 60 } do
    say(g:send(v))
  end
  g:close()
end)
