-- x_agen_pipeline: generators over generators, filled by a task
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local q = aio.Queue()
  local function items(yield)
    while true do
      local n = q:get()
      if not n then
        return
      end
      yield(n)
    end
  end
  local function pairs_of(yield, source)
    local last
    for n in source do
      if last then
        yield({ last, n })
      end
      last = n
    end
  end
  local t = aio.create_task(function()
    for n = 0, 3 do
      q:put_nowait(n)
      aio.sleep(0.001)
    end
    q:put_nowait(false)
  end)
  for p in aio.generator(pairs_of, aio.generator(items)) do
    say(p)
  end
  t:await()
  say("end")
end)
