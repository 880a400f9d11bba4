-- x_cancel_chain_turns: turns from the cancel to the end of a chain of three
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function inner()
  local _ <close> = aio.defer(say, "inner out")
  aio.sleep(10)
end

local function mid(t)
  local _ <close> = aio.defer(say, "mid out")
  t:await()
end

local function ticker()
  for i = 0, 5 do
    say("tick", i)
    aio.sleep(0)
  end
end

aio.run(function()
  local a = aio.create_task(inner)
  local b = aio.create_task(mid, a)
  local c = aio.create_task(mid, b)
  aio.sleep(0)
  aio.sleep(0)
  local tk = aio.create_task(ticker)
  c:cancel()
  c:add_done_callback(function(t) say("c done", t:cancelled()) end)
  a:add_done_callback(function(t) say("a done", t:cancelled()) end)
  tk:await()
  say(a:cancelled(), b:cancelled(), c:cancelled(), a:cancelling(), b:cancelling(), c:cancelling())
end)
