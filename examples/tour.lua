-- A tour of aio on one page. Run it with: lua5.4 examples/tour.lua
local aio = require "aio"

local function title(text)
  print(("\n-- %s"):format(text))
end

-- A task is a function that runs beside the others. Where it has to wait it just waits: no
-- callbacks, no `await` keyword, and any Lua function may do it.
local function tasks()
  title("tasks: three sleepers, started together")
  local function sleeper(name, seconds)
    aio.sleep(seconds)
    print(("%s slept %.1f s"):format(name, seconds))
    return #name
  end
  local long = aio.create_task(sleeper, "Clara", 0.3)
  local short = aio.create_task(sleeper, "Al", 0.1)
  local middle = aio.create_task(sleeper, "Ben", 0.2)
  print("results in the order asked for:", aio.gather(long, short, middle))
end

local function many()
  title("ten thousand at once")
  local numbers, sum = {}, 0
  for i = 1, 10000 do numbers[i] = i end
  local squares = aio.map(function(n) aio.sleep(0.1) return n * n end, numbers)
  for i = 1, squares.n do sum = sum + squares[i] end
  print("the sum of 10000 squares, each after a sleep of 0.1 s: " .. sum)
end

-- A timeout is a scope: what is left of its block has so many seconds.
local function timeouts()
  title("timeout: patience has an end")
  local ok, err = aio.catch(aio.TimeoutError, function()
    local _ <close> = aio.timeout(0.1)
    aio.sleep(60)
  end)
  print("finished: " .. tostring(ok) .. ", because: " .. err.name)
end

-- Cancelling raises CancelledError where the task waits, so that it can clean up.
local function cancelling()
  title("cancellation: cleanup always runs")
  local task = aio.create_task(function()
    local _ <close> = aio.defer(print, "  the desk is tidied up")
    print("  working")
    aio.sleep(60)
    print("  never reached")
  end)
  aio.sleep(0.05)
  task:cancel()
  aio.wait({ task })
  print("cancelled: " .. tostring(task:cancelled()))
end

-- A group waits for its children at the end of its block; when one fails the others are cancelled.
local function groups()
  title("task group: together or not at all")
  local ok, group = aio.catch(aio.ExceptionGroup, function()
    local tg <close> = aio.TaskGroup()
    tg:create_task(function()
      local _ <close> = aio.defer(print, "  the kettle is taken off")
      aio.sleep(60)
    end)
    tg:create_task(function()
      aio.sleep(0.05)
      error("no tea left", 0)
    end)
  end)
  print("tea is served: " .. tostring(ok) .. ", because: " .. group.errors[1])
end

-- A queue with a bound makes the fast wait for the slow.
local function queues()
  title("queue: one producer, two workers")
  local queue, done = aio.Queue(2), {}
  local function worker(name)
    for item in queue:items() do
      aio.sleep(0.02)
      done[#done + 1] = item
    end
    return name .. " went home"
  end
  local a = aio.create_task(worker, "Ada")
  local b = aio.create_task(worker, "Bob")
  for item = 1, 6 do queue:put(item) end
  queue:shutdown()
  print(aio.gather(a, b))
  print("made in all: " .. #done)
end

-- A server is a function that is called, as a task, for each connection.
local function network()
  title("TCP: an echo server and three clients")
  local server <close> = aio.start_server(function(conn)
    for line in conn:lines() do conn:write(line:upper(), "\n") end
  end, "127.0.0.1", 0)
  local function client(what)
    local conn <close> = aio.open_connection("127.0.0.1", server.port)
    conn:write(what, "\n")
    return conn:read("l")
  end
  print(table.concat(aio.map(client, { "every call", "may", "wait" }), " "))
end

aio.run(function()
  print("aio: tasks for Lua")
  tasks()
  many()
  timeouts()
  cancelling()
  groups()
  queues()
  network()
  print("\nThe end. The same on every page: plain calls, plain Lua.")
end)

-- prints:
-- aio: tasks for Lua
--
-- -- tasks: three sleepers, started together
-- Al slept 0.1 s
-- Ben slept 0.2 s
-- Clara slept 0.3 s
-- results in the order asked for:	5	2	3
--
-- -- ten thousand at once
-- the sum of 10000 squares, each after a sleep of 0.1 s: 333383335000
--
-- -- timeout: patience has an end
-- finished: false, because: TimeoutError
--
-- -- cancellation: cleanup always runs
--   working
--   the desk is tidied up
-- cancelled: true
--
-- -- task group: together or not at all
--   the kettle is taken off
-- tea is served: false, because: no tea left
--
-- -- queue: one producer, two workers
-- Ada went home	Bob went home
-- made in all: 6
--
-- -- TCP: an echo server and three clients
-- EVERY CALL MAY WAIT
--
-- The end. The same on every page: plain calls, plain Lua.
