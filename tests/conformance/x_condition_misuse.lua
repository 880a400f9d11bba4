-- x_condition_misuse: wait and notify need the lock
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local cond = aio.Condition()
  for _, what in ipairs { "notify", "notify_all", "wait" } do
    if not aio.catch(aio.RuntimeError, cond[what], cond) then
      say("error:", what)
    end
  end
  say("locked", cond:locked())
  do
    local _ <close> = cond:acquire()
    say("locked", cond:locked())
    cond:notify()
  end
  say("locked", cond:locked())
end)
