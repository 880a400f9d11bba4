-- x_agen_turns: two consumers of generators take turns; the generator runs in its consumer's task
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function gen(n)
  return aio.generator(function(yield)
    for i = 0, 2 do
      aio.sleep(0)
      yield(n, i, aio.current_task():get_name())
    end
  end)
end

local function consume(n)
  for x, i, name in gen(n) do say(x, i, name) end
  say("end", n)
end

aio.run(function()
  local a = aio.create_task_with({ name = "A" }, consume, "a")
  local b = aio.create_task_with({ name = "B" }, consume, "b")
  aio.gather(a, b)
end)
