-- SPDX-License-Identifier: MIT
-- Allocation failure at every point of a program: run n makes the n-th allocation and the 19 after
-- it fail (Lua collects garbage and asks again, so that a single one would go unnoticed). Each run
-- is a fork, on a clock that jumps over every wait.
--   aio-lua tests/support/inject.lua [k/m] [seconds] [name...]
-- runs part k of m of the programs of tests/conformance and tests/injection, or those named.
--
--   aio-lua tests/support/inject.lua at=88 name
-- makes only the run of that allocation, in this process, for a debugger.
--
-- A run passes when the process does not crash or hang, the error that leaves the program, if any,
-- comes from the failure, a task beside the program is not hurt, another loop can be run, and
-- neither object, descriptor nor byte is left.

package.path = arg[0]:gsub("support/[^/]*$", "") .. "?.lua;" .. package.path

local env = require "support.env"
local host = assert(env.host, "run this with aio-lua")
local leaks = require "support.leaks"
local aio = require "aio"
local core = require "aio.core"

local IN_A_ROW = 20
local HANG_SECONDS = 5
local ALL_BELOW = 400  -- the first points of a program are all taken, whatever the time
local TICK = 1e5 -- virtual seconds
local PATIENCE = 10 -- ticks: a program whose partner failed waits for ever, and is cancelled then
local BEYOND = 1 << 40 -- no program allocates this often

local OK, FAILED = 0, 1

local watched = false -- a bystander looks after the loop
local given_up = false -- a loop was stopped

-- What the child found, for the parent: a file, because the exit status is the verdict.
local report = os.tmpname()
local output = os.tmpname()

-- Errors that a task may meet because another one failed: its peer or its partner is gone.
local function consequence(err)
  return aio.is(err, aio.CancelledError, aio.TimeoutError, aio.OSError, aio.IncompleteReadError)
    or (aio.is(err, aio.RuntimeError) and err.message:find("wake", 1, true) ~= nil)
end

-- What a program runs into that looks at an error, a future or a list in the shape which these
-- would have had without the failure.
local MISLED = { "attempt to", "is not set yet", "at least one job expected" }

local function tells_of_failure(text)
  if text:find("not enough memory", 1, true) then return true end
  for _, part in ipairs(MISLED) do
    if text:find(part, 1, true) then return true end
  end
  return false
end

local function comes_from_failure(err)
  if given_up or tells_of_failure(tostring(err)) then return true end
  if type(err) ~= "table" then return false end
  if consequence(err) then return true end
  for _, child in ipairs(type(err.errors) == "table" and err.errors or {}) do
    if comes_from_failure(child) then return true end
  end
  return err.context ~= nil and comes_from_failure(err.context)
end

-- Beside the program's main a task that only sleeps: nothing but its own failure may end it. It
-- also ends the waiting of a main whose partner has failed, when memory is there again.
local function bystander(main)
  local ticks = 0
  while true do
    aio.sleep(TICK)
    ticks = ticks + 1
    if ticks >= PATIENCE then
      host.disarm()
      main:cancel()
    end
  end
end

local outcome = nil -- how the bystander ended before its time

local function watch_over(run)
  aio.run = function(fn, ...)
    watched = true
    return run(function(...)
      local task = aio.create_task(bystander, aio.current_task())
      local results = table.pack(pcall(fn, ...))
      if task:done() then
        outcome = task:cancelled() and "cancelled" or tostring(task:exception())
      end
      task:cancel()
      if not results[1] then error(results[2], 0) end
      return table.unpack(results, 2, results.n)
    end, ...)
  end
end

-- A loop that does not end is stopped: the callback that should have done so may have met the
-- failure. Where there is a bystander it comes first, unless it met the failure too.
local function watch_loops()
  local Loop = core._Loop
  local run_forever = Loop.run_forever
  function Loop:run_forever(...)
    local patience = watched and 2 * PATIENCE or PATIENCE
    local dog = core._insist(self:call_later(TICK * patience, function()
      host.disarm()
      given_up = true
      self:stop()
    end))
    local ok, err = pcall(run_forever, self, ...)
    dog:cancel()
    if not ok then error(err, 0) end
  end
end

-- The error must be out of reach before the look for leaks: it may hold what it tells of.
local function run_armed(chunk, n)
  host.arm(n, IN_A_ROW)
  local ok, err = pcall(chunk)
  local asked, failed = host.disarm()
  local wrong = nil
  if not ok and not comes_from_failure(err) then wrong = "another error: " .. tostring(err) end
  return wrong, asked, failed
end

-- Starts libuv's threads, which stay: the look for leaks would wait for their end, in each child.
local function warm_pool()
  aio.run(aio.fs.stat, "/")
end

-- In the child: runs the program with failures from the n-th allocation on.
local function attempt(chunk, n)
  warm_pool()
  host.fast_clock()
  local run, before = aio.run, leaks.snapshot()
  watch_over(run)
  watch_loops()
  local wrong, asked, failed = run_armed(chunk, n)
  aio.run = run
  if outcome and not outcome:find("not enough memory", 1, true) then
    wrong = "a task that only sleeps has ended: " .. outcome
  end
  if aio.run(function() aio.sleep(0) return "on" end) ~= "on" then wrong = "the next loop fails" end
  wrong = wrong or leaks.since(before)
  local file = assert(io.open(report, "w"))
  file:write(asked, " ", failed, "\n", wrong or "")
  file:close()
  return wrong and FAILED or OK
end

local function verdict(pid)
  local how, code = host.wait(pid)
  local file = assert(io.open(report))
  local asked, failed, wrong = file:read("n", "n", "a")
  file:close()
  if how == "exit" and code == OK then return true, asked, failed end
  if how == "exit" and code == FAILED then return false, wrong end
  return false, ("%s %d"):format(how, code)
end

-- true, allocations, failures; or false and what is wrong. Does not return in the child.
local function run_once(chunk, path, n)
  local file = assert(io.open(report, "w"))
  file:close()
  local pid = host.fork()
  if pid ~= 0 then return verdict(pid) end
  host.silence(output)
  host.alarm(HANG_SECONDS, ("%s, allocation %d"):format(path, n))
  os.exit(attempt(chunk, n), true)
end

local function complain(path, n, wrong)
  print(("FAILED  %s, allocation %d: %s"):format(path, n, wrong:gsub("\n$", "")))
  print((env.read(output):sub(-2000):gsub("[^\n]+", "    %0")))
end

local function run_points(path, chunk, total, stride)
  local passed, failed, n = 0, 0, 1
  while n <= total and failed < 3 do
    local ok, wrong = run_once(chunk, path, n)
    if ok then passed = passed + 1 else failed = failed + 1 end
    if not ok then complain(path, n, wrong) end
    n = n + (n < ALL_BELOW and 1 or stride)
  end
  return passed, failed
end

-- The programs find their printer beside themselves; loading it again each time tests nothing.
local function cache_files()
  local load, loaded = dofile, {}
  _G.dofile = function(path)
    loaded[path] = loaded[path] or load(path)
    return loaded[path]
  end
  return function(path) loaded[path] = load(path) end
end

local function seconds()
  local file = assert(io.open("/proc/uptime"))
  local now = file:read("n")
  file:close()
  return now
end

local preload = cache_files()

local function load_program(path)
  local script = env.root .. "/" .. path
  _G.arg = { [0] = script }
  preload(env.root .. "/tests/conformance/say.lua")
  if path:find("tls_", 1, true) then
    preload((script:gsub("[^/]*$", "../support/certs.lua")))
  end
  return assert(loadfile(script))
end

local function run_program(path, budget)
  local chunk = load_program(path)
  local start = seconds()
  local ok, total = run_once(chunk, path, BEYOND)
  if not ok then
    complain(path, 0, total)
    return 0, 1
  end
  local each = math.max(seconds() - start, 0.01)
  local room = math.max(1, budget / each - ALL_BELOW)
  local stride = math.max(1, math.ceil((total - ALL_BELOW) / room))
  local passed, failed = run_points(path, chunk, total, stride)
  print(("%s  %s: %d allocations, %s, %d runs, %.1f s"):format(failed == 0 and "ok    " or "FAILED",
    path, total, stride == 1 and "each" or "every " .. stride, passed + failed, seconds() - start))
  return failed == 0 and 1 or 0, failed == 0 and 0 or 1
end

-- The programs of this part, or those whose paths contain one of the wanted names.
local function choose(part, wanted)
  local list, chosen = env.glob("tests/injection/*.lua"), {}
  for _, path in ipairs(env.glob("tests/conformance/*_*.lua")) do list[#list + 1] = path end
  for i = #list, 1, -1 do
    if list[i]:find("tls_", 1, true) and not env.has_tls() then table.remove(list, i) end
  end
  local k, m = part:match("^(%d+)/(%d+)$")
  for i, path in ipairs(list) do
    local mine = #wanted == 0 and i % m == k % m
    for _, name in ipairs(wanted) do mine = mine or path:find(name, 1, true) ~= nil end
    if mine then chosen[#chosen + 1] = path end
  end
  return chosen
end

local part, budget = "1/1", 150
local wanted = table.move(arg, 1, #arg, 1, {})
local at = (wanted[1] or ""):match("^at=(%d+)$")
if at then
  leaks.warm_up()
  local status = attempt(load_program(assert(choose(part, { wanted[2] })[1])), tonumber(at))
  print(env.read(report))
  os.exit(status, true)
end
if (wanted[1] or ""):find("^%d+/%d+$") then part = table.remove(wanted, 1) end
if tonumber(wanted[1]) then budget = tonumber(table.remove(wanted, 1)) end
io.stdout:setvbuf("line")
leaks.warm_up()
local programs = choose(part, wanted)
local passed, failed = 0, 0
for _, path in ipairs(programs) do
  local good, bad = run_program(path, budget / #programs)
  passed, failed = passed + good, failed + bad
end
os.remove(report)
os.remove(output)
env.record("inject-" .. part, passed, failed, 0)
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0, true)
