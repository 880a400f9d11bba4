-- x_ensure_future: ensure_future and wrap_future give back what is a future already
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function work()
  aio.sleep(0)
  return 3
end

local Later = {}
function Later.__await(self)
  aio.sleep(0)
  say("later", self.n)
  return self.n
end
local function later(n) return setmetatable({ n = n }, Later) end

aio.run(function()
  local t = aio.ensure_future(work)
  say(aio.ensure_future(t) == t, aio.wrap_future(t) == t, aio.isfuture(t))
  local f = aio.get_running_loop():create_future()
  say(aio.ensure_future(f) == f)
  say(t:await())
  local l = aio.ensure_future(later(1))
  say(aio.isfuture(l), l:await())
  say(aio.await(later(2)))
  say(aio.gather { later(3), work, later(4) })
  say(aio.wait_for(later(5), 1))
  say(aio.shield(later(6)):await())
  if not pcall(aio.ensure_future, 5) then say("not a job") end
end)
