-- 470_producer_consumer_cancel: group cancellation drains a pipeline cleanly
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

aio.run(function()
  local q = aio.Queue(1)
  local function producer()
    local _ <close> = aio.defer(say, "producer closed")
    local n = 0
    while true do
      q:put(n)
      n = n + 1
    end
  end
  local function consumer()
    local _ <close> = aio.defer(say, "consumer closed")
    while true do
      local v = q:get()
      if v == 3 then
        error(ValueError("bad item 3"))
      end
      say("item", v)
    end
  end
  local ok, err = aio.catch(aio.ExceptionGroup, aio.TaskGroup, function(g)
    g:create_task(producer)
    g:create_task(consumer)
  end)
  if not ok then
    local messages = {}
    for i, e in ipairs(err.errors) do
      messages[i] = e.message
    end
    say("group errors:", messages)
  end
end)
