-- x_semaphore_turns: releases in one turn let several in, in order; locked tells
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function w(s, n)
  do
    local _ <close> = s:acquire()
    say("in", n, s:locked())
    aio.sleep(0)
  end
  say("out", n)
end

aio.run(function()
  local s = aio.Semaphore(2)
  say(s:locked())
  s:acquire()
  s:acquire()
  say(s:locked())
  local ts = {}
  for i = 0, 3 do ts[i + 1] = aio.create_task(w, s, i) end
  aio.sleep(0)
  s:release()
  s:release()
  s:release()
  for i = 0, 4 do
    say("turn", i, s:locked())
    aio.sleep(0)
  end
  say(s:locked())
  aio.gather(ts)
  local n = 0
  while not s:locked() do
    s:acquire()
    n = n + 1
  end
  say("slots", n)
end)
