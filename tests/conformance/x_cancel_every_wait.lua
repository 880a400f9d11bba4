-- x_cancel_every_wait: a cancel reaches a task in every kind of wait, nothing is left behind
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local lock = aio.Lock()
  lock:acquire()
  local sem = aio.Semaphore(0)
  local ev = aio.Event()
  local cond = aio.Condition()
  local q, full = aio.Queue(1), aio.Queue(1)
  full:put_nowait(1)
  local bar = aio.Barrier(2)
  local waits = {
    { "lock", function() lock:acquire() end },
    { "sem", function() sem:acquire() end },
    { "event", function() ev:wait() end },
    { "cond", function()
      local _ <close> = cond:acquire()
      cond:wait()
    end },
    { "get", function() q:get() end },
    { "put", function() full:put(2) end },
    { "join", function() full:join() end },
    { "barrier", function() bar:wait() end },
    { "group", function()
      local tg <close> = aio.TaskGroup()
      tg:create_task(aio.sleep, 10)
    end },
    { "sleep", function() aio.sleep(10) end },
  }
  for _, w in ipairs(waits) do
    local t = aio.create_task(w[2])
    aio.sleep(0)
    aio.sleep(0)
    t:cancel(w[1])
    local k = 0
    while not t:done() do
      k = k + 1
      aio.sleep(0)
    end
    say(w[1], t:cancelled(), k)
  end
  say(lock:locked(), q:qsize(), full:qsize(), bar.n_waiting, cond:locked())
end)
