-- x_future_waited_in_all_ways: one future in gather, wait, shield, wait_for and await at once
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local f = loop:create_future()
  local cases = {
    function() say("await", f:await()) end,
    function() say("gather", aio.gather { f, f }) end,
    function()
      local d, p = aio.wait { f }
      say("wait", #d, #p)
    end,
    function() say("shield", aio.shield(f):await()) end,
  }
  local ts = {}
  for i, x in ipairs(cases) do ts[i] = aio.create_task(x) end
  aio.sleep(0)
  aio.sleep(0)
  loop:call_soon(f.set_result, f, "R")
  for i = 0, 4 do
    say("turn", i)
    aio.sleep(0)
  end
  aio.gather(ts)
end)
