-- 442_agen_closed_at_shutdown: generators left open are closed when the loop shuts down
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local keep = aio.generator(function(yield)
  local _ <close> = aio.defer(function()
    aio.sleep(0)
    say("generator cleanup")
  end)
  while true do
    yield(1)
    aio.sleep(0)
  end
end)

aio.run(function()
  say(keep())
  say("main ends")
end)
say("after run")
