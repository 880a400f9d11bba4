-- 342_add_reader_replace: adding a reader again replaces the callback
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local a, b = aio.socketpair()
  local function old() say("not printed") end
  local function new() say("new", a:recv(10)) end
  loop:add_reader(a, old)
  loop:add_reader(a, new)
  b:send("x")
  aio.sleep(0.01)
  loop:remove_reader(a)
  b:send("y")
  aio.sleep(0.01)
  say("quiet")
  a:close()
  b:close()
end)
