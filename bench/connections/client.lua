-- client.lua PORT CONNS BUSY SECONDS: holds CONNS connections, of which BUSY ask again and again
-- for SECONDS. Prints "open" when all stand, then the number of answers; waits for a line on
-- standard input after each, so that the server can be looked at.
local aio = require "aio"
local port, conns, busy, seconds = table.unpack(arg)
local AT_ONCE = 256 -- being connected

local function ask(conn, loop, stop)
  local count = 0
  while loop:time() < stop do
    local line = ("request %d\n"):format(count)
    conn:write(line)
    assert(conn:readline() == line)
    count = count + 1
  end
  return count
end

local function say(...)
  print(...)
  io.stdout:flush()
  io.read("l")
end

aio.run(function()
  local loop, all = aio.get_running_loop(), {}
  local function connect(i) all[i] = aio.open_connection("127.0.0.1", tonumber(port)) end
  local numbers = {}
  for i = 1, tonumber(conns) do numbers[i] = i end
  aio.map(connect, numbers, { limit = AT_ONCE })
  say("open")

  local stop, tasks, total = loop:time() + tonumber(seconds), {}, 0
  for i = 1, tonumber(busy) do tasks[i] = aio.create_task(ask, all[i], loop, stop) end
  for _, count in ipairs(aio.gather(tasks)) do total = total + count end
  say(total)
  for i = 1, #all do all[i]:close() end
end)
