-- A supervisor: keeps a program running. When it ends with an error it is started again, after a
-- pause that doubles; SIGTERM or Ctrl-C ends it gently, and after PATIENCE seconds by force.
-- supervisor.lua [program [argument...]]
local aio = require "aio"

local PATIENCE, FIRST_PAUSE, MOST_PAUSE = 5, 0.05, 2

-- Ends the program: it may clean up, but not for ever.
local function stop(p)
  if p.returncode then return end
  p:terminate()
  aio.catch(aio.TimeoutError, aio.wait_for, function() p:wait() end, PATIENCE)
end

local function log_lines(p)
  for line in p.stdout:lines() do print("  " .. line) end
end

-- One run of the program: its exit code.
local function run_once(words)
  local p <close> = aio.create_subprocess_exec(table.unpack(words))
  local _ <close> = aio.defer(stop, p)
  log_lines(p)
  return p:wait()
end

local function keep_running(words)
  local pause = FIRST_PAUSE
  for start = 1, math.huge do
    local code = run_once(words)
    print(("run %d ended with %d"):format(start, code))
    if code == 0 then return end
    aio.sleep(pause)
    pause = math.min(2 * pause, MOST_PAUSE)
  end
end

aio.main(function(...)
  io.stdout:setvbuf "line"
  local words = { ... }
  if #words == 0 then -- a program that fails twice
    local counter = os.tmpname()
    words = { "sh", "-c", 'echo x >> "$0"; n=$(wc -l < "$0"); echo "attempt $n"; [ "$n" -ge 3 ]',
      counter }
    aio.current_task():add_done_callback(function() os.remove(counter) end)
  end
  words[#words + 1] = { stdout = aio.PIPE, stderr = aio.STDOUT }
  local job = aio.create_task(keep_running, words)
  local watch = aio.create_task(function()
    for sig in aio.signals("SIGTERM", "SIGINT") do
      print(sig .. ": stopping")
      job:cancel()
    end
  end)
  aio.catch(aio.CancelledError, job.await, job)
  watch:cancel()
  print "done"
end, ...)
-- prints:
--   attempt 1
-- run 1 ended with 1
--   attempt 2
-- run 2 ended with 1
--   attempt 3
-- run 3 ended with 0
-- done
