-- 062_cancel_in_context_exit: cancel inside scope exit still unwinds outer scopes
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local Scope = {}

function Scope:__close()
  say("exit", self.name)
  if self.slow then
    aio.sleep(10)
    say("not printed")
  end
end

local function enter(name, slow)
  say("enter", name)
  return setmetatable({ name = name, slow = slow }, Scope)
end

local function child()
  local _ <close> = enter("outer")
  do
    local _ <close> = enter("inner", true)
  end
end

aio.run(function()
  local t = aio.create_task(child)
  aio.sleep(0.01)
  t:cancel()
  aio.wait { t }
  say("cancelled", t:cancelled())
end)
