-- x_exit_stack: scopes in reverse order, what each sees, an error that replaces another, pop_all
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local KeyError, ValueError = aio.Error:extend "KeyError", aio.Error:extend "ValueError"

local function name(e) return e and e.name end

local function scope(n, fails)
  say("enter", n)
  return setmetatable({}, {
    __close = function(_, e)
      say("exit", n, name(e))
      aio.sleep(0)
      if fails then error(KeyError(n)) end
    end,
  })
end

aio.run(function()
  do
    local stack <close> = aio.ExitStack()
    for i = 1, 3 do stack:enter(scope(i)) end
    stack:defer(say, "callback", 1)
    say("body")
  end

  local _, e = aio.catch(aio.Error, function()
    local stack <close> = aio.ExitStack()
    stack:enter(scope "a")
    stack:enter(scope("b", true))
    stack:enter(scope "c")
    error(ValueError "body")
  end)
  say("raised", name(e), "context", name(e.context))

  local later
  do
    local stack <close> = aio.ExitStack()
    stack:enter(scope "kept")
    later = stack:pop_all()
  end
  say("popped")
  do
    local _ <close> = later
  end

  local task = aio.create_task(function()
    local stack <close> = aio.ExitStack()
    stack:enter(scope "x")
    stack:enter(scope "y")
    aio.sleep(10)
  end)
  aio.sleep(0.001)
  task:cancel()
  aio.wait { task }
  say("cancelled", task:cancelled())
end)
