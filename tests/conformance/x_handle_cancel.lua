-- x_handle_cancel: a cancelled handle does not run, also when its timer is already due
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local a = loop:call_soon(say, "never")
  local b = loop:call_later(0.01, say, "never")
  loop:call_soon(say, "runs")
  a:cancel()
  b:cancel()
  b:cancel()
  say("cancelled", a:cancelled(), b:cancelled())
  local handle
  loop:call_soon(function()
    handle:cancel()
  end)
  handle = loop:call_soon(say, "never")
  local c = loop:call_later(0.005, say, "timer runs")
  aio.sleep(0.02)
  say("cancelled", c:cancelled())
  c:cancel()
  say("cancelled", c:cancelled())
end)
