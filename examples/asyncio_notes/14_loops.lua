-- Getting, setting and making event loops. Programs rarely need this: `run` does it for them.
local aio = require "aio"

-- get_running_loop is for code that a loop runs
local ok, err = pcall(aio.get_running_loop)
print("running loop outside of one:", ok, err.name)

-- get_event_loop makes a loop and sets it when there is none: new_event_loop, set_event_loop
local loop = aio.get_event_loop()
print("the same again:", aio.get_event_loop() == loop)

local other = aio.new_event_loop()
print("a new one is not set:", aio.get_event_loop() == loop)
aio.set_event_loop(other)
print("now it is:", aio.get_event_loop() == other)

other:run_until_complete(function()
  print("running:", aio.get_running_loop() == other, aio.get_event_loop() == other)
end)

other:close()
loop:close()
aio.set_event_loop(nil)

-- prints:
-- running loop outside of one:	false	RuntimeError
-- the same again:	true
-- a new one is not set:	true
-- now it is:	true
-- running:	true	true
