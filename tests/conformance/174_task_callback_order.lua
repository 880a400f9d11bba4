-- 174_task_callback_order: done callbacks run before the waiter resumes if added first
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function child()
  return 1
end

aio.run(function()
  local t = aio.create_task(child)
  t:add_done_callback(function()
    say("callback")
  end)
  t:await()
  say("waiter")
  local u = aio.create_task(child)
  local w = aio.create_task(function()
    u:await()
    say("waiter")
  end)
  aio.sleep(0)
  u:add_done_callback(function()
    say("callback added after")
  end)
  w:await()
  aio.sleep(0)
end)
