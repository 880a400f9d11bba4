-- Prints the date every second for five seconds. `sleep` hands its further arguments back.
local aio = require "aio"

local function display_date()
  local loop = aio.get_running_loop()
  local end_time = loop:time() + 5.0
  while true do
    print(os.date("%Y-%m-%d %H:%M:%S"))
    if loop:time() + 1.0 >= end_time then break end
    aio.sleep(1)
  end
  print(aio.sleep(0, "the result of sleep"))
end

aio.run(display_date)

-- prints:
-- 2019-11-05 19:50:01
-- 2019-11-05 19:50:02
-- 2019-11-05 19:50:03
-- 2019-11-05 19:50:04
-- 2019-11-05 19:50:05
-- the result of sleep
