-- x_interrupt_children: an interrupt goes through main down to what it waits for
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function interrupt_self()
  io.popen("kill -INT $PPID"):close()
end

local function child(n)
  local _ <close> = aio.defer(say, "child", n, "cleaned")
  aio.sleep(10)
end

local ok = aio.catch(aio.KeyboardInterrupt, aio.run, function()
  aio.get_running_loop():call_later(0.01, interrupt_self)
  local _ <close> = aio.defer(say, "main cleaned")
  local g <close> = aio.TaskGroup()
  g:create_task(child, 1)
  g:create_task(child, 2)
end)
if not ok then
  say("interrupted")
end
say("and on with", aio.run(aio.sleep, 0, "another run"))
