-- 444_agen_cancelled_consumer: cancelling the consumer unwinds the generator it is waiting in
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function gen(yield)
  local ok, err = aio.catch(aio.CancelledError, function()
    yield(1)
    aio.sleep(10)
    yield(2)
  end)
  if not ok then
    say("generator cancelled")
    error(err, 0)
  end
end

aio.run(function()
  local t = aio.create_task(function()
    for i in aio.generator(gen) do
      say(i)
    end
  end)
  aio.sleep(0.01)
  t:cancel()
  aio.wait({ t })
  say("cancelled", t:cancelled())
end)
