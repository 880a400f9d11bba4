-- SPDX-License-Identifier: MIT
-- What the tests of all that waits have in common: what a call raises, turns of the loop, its
-- looks at the kernel, and cancelling at every point.

local lu = require "luaunit"
local aio = require "aio"

local tasks = {}

---The error of the class that fn raises.
function tasks.raised(class, fn, ...)
  local ok, err = aio.catch(class, fn, ...)
  lu.assertFalse(ok, "no error was raised")
  return err
end

---The same, and these words are in its text; without a class any error will do.
---@param class table|nil
---@param words string
function tasks.raised_saying(class, words, fn, ...)
  local ok, err = pcall(fn, ...)
  lu.assertFalse(ok, "no error was raised: " .. words)
  if class then lu.assertTrue(aio.is(err, class), tostring(err)) end
  lu.assertStrContains(tostring(err), words)
  return err
end

---The OSError of that code that fn raises.
---@param code string
function tasks.os_error(code, fn, ...)
  local err = tasks.raised(aio.OSError, fn, ...)
  lu.assertEquals(err.code, code)
  return err
end

---Lets the others run `n` times.
function tasks.turns(n)
  for _ = 1, n do aio.sleep(0) end
end

local POLLED = 600 -- a loop asks the kernel at every 256th node, whatever is ready

---Lets the loop ask the kernel: it then knows what has happened on the loopback.
function tasks.polled() tasks.turns(POLLED) end

---Waits until fn() stays the same although the kernel was asked.
function tasks.settled(fn)
  local before
  repeat
    before = fn()
    tasks.polled()
  until fn() == before
  return before
end

-- One choice: the tasks of `set`, and when they are cancelled.
local function choice(set, after, before)
  local function cancel(waiting)
    for i = 1, 3 do
      if set & (1 << (i - 1)) ~= 0 then waiting[i]:cancel() end
    end
  end
  return function(waiting, act)
    if before then cancel(waiting) end
    act()
    tasks.turns(after)
    if not before then cancel(waiting) end
  end
end

---Of three tasks that wait some are cancelled, before something happens `count` times or up to
---`last` turns after it: calls fn(count, happen, set) for every choice. `happen(waiting, act)`
---cancels them around act(); `set` has a bit for each of them.
---@param most integer  the greatest count
---@param last integer
function tasks.cancel_at_every_point(most, last, fn)
  for set = 0, 7 do
    for count = 0, most do
      for after = 0, last do
        fn(count, choice(set, after, true), set)
        fn(count, choice(set, after, false), set)
      end
    end
  end
end

return tasks
