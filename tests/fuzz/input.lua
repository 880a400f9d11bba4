-- SPDX-License-Identifier: MIT
-- What all targets have in common: an input as a row of choices, and the loop in which each input
-- is a program of its own. Invariant: after an input there are no more tasks, callbacks and bytes
-- than before it.

local aio = require "aio"
local core = require "aio.core"
local host = require "fuzzhost"

local Input = {}
Input.__index = Input

---The next byte, 0 after the end.
function Input:byte()
  local b = self.data:byte(self.at)
  self.at = self.at + 1
  return b or 0
end

function Input:done() return self.at > #self.data end

---An integer from `low` to `high`.
function Input:int(low, high)
  local n, span = 0, high - low
  while span > 0 do
    n = n << 8 | self:byte()
    span = span >> 8
  end
  return low + n % (high - low + 1)
end

---True once in `n` times.
function Input:one_in(n) return self:byte() % n == n - 1 end

function Input:pick(list) return list[1 + self:byte() % #list] end

---Up to `n` bytes as they are.
function Input:take(n)
  local text = self.data:sub(self.at, self.at + n - 1)
  self.at = self.at + #text
  return text
end

local M = {}

-- Several processes may run a target at the same time: their names must differ.
local stat = assert(io.open("/proc/self/stat"))
M.process = stat:read("n")
stat:close()

local COLLECT_EVERY = 64 -- inputs; a full collection for each would be most of the work
local GROWS = 12 -- so many looks in a row at which there is more memory in use: a leak

local EXPECTED = { slow_callback = true, swallowed_cancel = true }

-- Tasks, handles and anchors that are left, and memory that grows and grows.
local function checker(loop)
  local anchors, memory
  local grown, count = 0, -1
  return function(reports)
    count = count + 1
    assert(#core.all_tasks(loop) == 0, "a task is left")
    assert(#core._scheduled(loop) == 0, "a callback is left")
    if count % COLLECT_EVERY == 0 then
      collectgarbage()
      collectgarbage()
      loop:run_until_complete(function() aio.sleep(0) end) -- what finalizers have to say
      collectgarbage()
      local stats, now = core.stats(), host.memory()
      assert(stats.anchors <= (anchors or stats.anchors), "an anchor is left")
      grown = memory and now > memory and grown + 1 or 0
      assert(grown < GROWS, "memory grows")
      anchors, memory = stats.anchors, memory and math.max(memory, now) or now
    end
    if #reports > 0 then error(table.concat(reports, "\n")) end
  end
end

---The function of a target: `body(input)` runs in a task, under a virtual clock. What it raises, or
---what reaches the exception handler and is not of an expected kind, is a bug.
---@param body fun(input: table)
---@param expected? fun(ctx: table): boolean  reports that are none
function M.target(body, expected)
  local loop = aio.new_event_loop()
  local reports = {}
  core._virtual_clock(loop)
  loop.slow_callback_duration = math.huge
  loop:set_exception_handler(function(_, ctx)
    if EXPECTED[ctx.kind] or expected and expected(ctx) then return end
    reports[#reports + 1] = ("%s (%s): %s\n%s"):format(ctx.message, ctx.kind,
      tostring(ctx.exception), ctx.traceback or "")
  end)
  local check = checker(loop)
  return function(data)
    loop:run_until_complete(function()
      body(setmetatable({ data = data, at = 1 }, Input))
      core._wait_all_blocked()
    end)
    check(reports)
  end
end

---Lets the others run `n` times.
function M.turns(n)
  for _ = 1, n do aio.sleep(0) end
end

local FATE = { aio.OSError, aio.RuntimeError, aio.CancelledError }

---`fn`'s results after true, or false and the error when that is one that a stream may raise when
---its peer, or another task, has closed it.
function M.fate(fn, ...) return aio.catch(FATE, fn, ...) end

return M
