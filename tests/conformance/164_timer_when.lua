-- 164_timer_when: a timer knows its deadline and never fires early
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local start = loop:time()
  local f = loop:create_future()
  local t = loop:call_at(start + 0.03, f.set_result, f)
  say("deadline kept", t:when() == start + 0.03)
  f:await()
  say("not early", loop:time() - start >= 0.03)
end)
