-- Running, stopping and closing a loop.
local aio = require "aio"

local loop = aio.new_event_loop()
aio.set_event_loop(loop)

-- until a job is complete: its result, or its error
print(loop:run_until_complete(function() return "the result" end))
print(pcall(loop.run_until_complete, loop, function() error("its error", 0) end))

-- until somebody says stop
loop:call_later(0.05, function()
  print("is_running:", loop:is_running())
  loop:stop()
end)
loop:run_forever()
print("is_running:", loop:is_running())

-- what still waits when a loop is closed is dropped
loop:call_later(60, print, "never")
loop:close()
print("is_closed:", loop:is_closed())
local ok, err = pcall(loop.run_forever, loop)
print(ok, err.name)

-- prints:
-- the result
-- false	its error
-- is_running:	true
-- is_running:	false
-- is_closed:	true
-- false	RuntimeError
