-- x_turns_of_waits: turns until the waiter goes on after what it waits for has ended
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function quick() return 1 end

local function probe(name, fn)
  local n, stop = 0, false
  local c = aio.create_task(function()
    while not stop do
      n = n + 1
      aio.sleep(0)
    end
  end)
  aio.sleep(0)
  n = 0
  fn()
  say(name, n)
  stop = true
  c:await()
end

local cases = {
  { "task", function() aio.create_task(quick):await() end },
  { "gather_tasks", function() aio.gather(quick, quick) end },
  { "wait_one", function() aio.wait { aio.create_task(quick), aio.create_task(quick) } end },
  { "as_comp", function()
    for t in aio.as_completed { quick, quick } do t:await() end
  end },
  { "shielded", function() aio.shield(quick):await() end },
  { "timeout", function()
    local _ <close> = aio.timeout(1)
    aio.create_task(quick):await()
  end },
  { "group", function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(quick)
  end },
  { "group_empty", function()
    local _ <close> = aio.TaskGroup()
  end },
  { "group_done", function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(quick):await()
  end },
  { "gather_nested", function() aio.gather(aio.gather_future(quick, quick), quick) end },
}

aio.run(function()
  for _, c in ipairs(cases) do probe(c[1], c[2]) end
end)
