-- SPDX-License-Identifier: MIT
--
-- For tests of programs that use aio: a virtual clock that jumps when nobody can run, and a check
-- that nothing outlives the test. Not loaded by aio itself: require "aio.testing".

local core = require "aio.core"
local aio = require "aio"
local check = require "aio.check"
local executor = require "aio.executor"
local inspect = require "aio.inspect"
local origin = require "aio.origin"
local pair = require "aio.pair"

local M = { stream_pair = pair.stream_pair }

local pack, unpack = table.pack, table.unpack

-- Reports that fail a test which does not handle them itself.
local FAILS = {
  unclosed = true, never_retrieved = true, callback_error = true, handler_error = true,
}

local function check_clock(name)
  local loop = core._running()
  if not loop or not core._has_virtual_clock(loop) then
    check.state(name .. ": there is no virtual clock here; call it inside testing.run")
  end
  return loop
end

-- ---- the clock ----

--- Waits until every other task waits for something that only the clock, a descriptor or this task
--- can bring about. Time stands still meanwhile. [suspends]
function M.wait_all_blocked()
  check_clock "wait_all_blocked"
  core._wait_all_blocked()
end

local Clock = {}
Clock.__index = Clock
Clock.__name = "Clock"

--- The seconds since the start of the test, as loop:time() says.
---@return number
function Clock:now() return self._loop:time() end

--- Moves the clock at once; what is due then runs as soon as this task waits.
---@param s number seconds
function Clock:advance(s)
  check.arg(type(s) == "number" and s >= 0 and s < math.huge, 1, "advance",
    "a number of seconds, not negative, expected")
  core._advance_clock(self._loop, s)
end

--- The virtual clock of the running test.
---@return table Clock
function M.clock() return setmetatable({ _loop = check_clock "clock" }, Clock) end

-- ---- what is left ----

local function where(object) return core._made(object) or "(unknown place)" end

local function left_tasks(loop, main, found)
  for _, task in ipairs(core.all_tasks(loop)) do
    if task ~= main then
      found[#found + 1] = ("task %s, made at %s"):format(task:get_name(), where(task))
    end
  end
end

local function left_scopes(main, found)
  local s = core._extra(main, "scopes")
  while s do
    found[#found + 1] = ("%s, made at %s"):format(s._kind:gsub("^the ", ""), s._where)
    s = s._below
  end
end

-- Scheduled callbacks that were there before belong to the runner.
local function left_handles(loop, before, found)
  for _, handle in ipairs(core._scheduled(loop)) do
    if not before[handle] then
      local when = handle:when()
      found[#found + 1] = ("callback%s, made at %s"):format(
        when and (" due in %g s"):format(math.max(0, when - loop:time())) or "", where(handle))
    end
  end
end

local function left_descriptors(loop, before, found)
  for _, object in ipairs(core._made_all()) do
    local what = inspect.open_in(object, loop) or executor.is_left(object, loop) and "executor"
    if what and not before[object] then
      found[#found + 1] = ("%s, made at %s"):format(what, where(object))
    end
  end
end

local function set_of(list)
  local set = {}
  for _, x in ipairs(list) do set[x] = true end
  return set
end

-- Called in main after the test's function has returned.
local function survey(loop, main, handles, objects)
  local found = {}
  left_tasks(loop, main, found)
  left_scopes(main, found)
  left_descriptors(loop, objects, found)
  if #found == 0 then left_handles(loop, handles, found) end -- else they may belong to those
  table.sort(found)
  return found
end

local function describe(ctx)
  local text = ("%s (%s)"):format(ctx.message or "error", ctx.kind)
  if ctx.exception ~= nil then text = text .. ": " .. tostring(ctx.exception) end
  if ctx.traceback then text = text .. "\n" .. ctx.traceback end
  return text
end

local function fail(title, list)
  error(core.RuntimeError(title .. ":\n  " .. table.concat(list, "\n  ")), 0)
end

-- ---- running ----

local OPTIONS = { debug = "boolean" }

local function new_loop(debug, reports)
  local loop = core.new_event_loop()
  core._virtual_clock(loop)
  loop:set_debug(debug)
  loop.slow_callback_duration = math.huge -- real time is no measure in a test
  loop:set_exception_handler(function(l, ctx)
    if FAILS[ctx.kind] then
      reports[#reports + 1] = describe(ctx)
    else
      l:default_exception_handler(ctx)
    end
  end)
  return loop
end

--- Runs `fn()` as aio.run does, under a virtual clock: it stands still while anybody can run and
--- jumps to the next timer when nobody can (with real descriptors open, after 10 ms of real quiet;
--- never while a look-up is under way; while a child or a call in a thread works it goes at real
--- pace). The test fails with RuntimeError when a task, a callback (also of a signal or a
--- descriptor), a scope, or anything that has to be closed is still there at its end, naming the
--- line that made it, and when an error reached the exception handler, unless the test has set its
--- own.
---@param fn function
---@param opts? { debug: boolean } debug mode, on by default; without it lines are not known
---@return any ... fn's results
function M.run(fn, opts)
  check.arg(check.callable(fn), 1, "run", "function expected, got " .. type(fn))
  opts = check.options(opts, OPTIONS, 2, "run")
  local reports, found = {}, {}
  local results
  do
    local runner <close> = aio.Runner {
      loop_factory = function() return new_loop(opts.debug ~= false, reports) end,
    }
    results = pack(runner:run(function()
      local loop, main = core.get_running_loop(), core.current_task()
      local handles, objects = set_of(core._scheduled(loop)), set_of(core._made_all())
      local values = pack(fn())
      core._wait_all_blocked() -- what has been asked to end gets the time to do so
      found = survey(loop, main, handles, objects)
      return unpack(values, 1, values.n)
    end))
    collectgarbage() -- streams that nobody reaches are reported by their finalizers
  end
  if #found > 0 then fail("the test left behind", found) end
  if #reports > 0 then fail("nobody handled", reports) end
  return unpack(results, 1, results.n)
end

-- luaunit sees only the stack outside of the loop, so the error brings its own.
local function with_traceback(err, traceback)
  if core.is(err, core.Error) then
    traceback = err.traceback
  elseif type(err) ~= "string" then
    return err -- luaunit's own, or not for it
  end
  return traceback and ("%s\n%s"):format(err, traceback) or err
end

--- A luaunit test method that runs `fn` with its arguments as testing.run does. An error is raised
--- as a text with its traceback.
---@param fn function
---@return function
function M.case(fn)
  check.arg(check.callable(fn), 1, "case", "function expected, got " .. type(fn))
  return function(...)
    local args = pack(...)
    return M.run(function()
      local results = pack(xpcall(fn, origin.note, unpack(args, 1, args.n)))
      if not results[1] then error(with_traceback(origin.of(results[2])), 0) end
      return unpack(results, 2, results.n)
    end)
  end
end

return M
