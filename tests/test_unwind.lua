-- SPDX-License-Identifier: MIT
-- A user's __close that waits runs to its end: under an error, a cancel, a time limit and a plain
-- pcall in between, at any depth, and the task's results are what they should be.

local lu = require "luaunit"
local aio = require "aio"

local T = {}

-- A block whose close waits twice; notes what it saw.
local function closing(log, name)
  return setmetatable({}, { __close = function(_, err)
    log[#log + 1] = name .. " begins " .. (err == nil and "without" or aio.is(err,
      aio.CancelledError) and "cancelled" or "with an error")
    aio.sleep(0.001)
    aio.create_task(aio.sleep, 0):await()
    log[#log + 1] = name .. " ends"
  end })
end

local function outcome(fn, ...)
  local t = aio.create_task(fn, ...)
  local log = { pcall(t.await, t) }
  return t, log
end

function T.test_normal_end()
  aio.run(function()
    local log = {}
    local t = outcome(function()
      local _ <close> = closing(log, "a")
      return 7
    end)
    lu.assertEquals(t:result(), 7)
    lu.assertEquals(log, { "a begins without", "a ends" })
  end)
end

function T.test_error()
  aio.run(function()
    local log = {}
    local t = outcome(function()
      local _ <close> = closing(log, "outer")
      local _ <close> = closing(log, "inner")
      error "x"
    end)
    lu.assertStrContains(t:exception(), "x")
    lu.assertEquals(log, { "inner begins with an error", "inner ends",
      "outer begins with an error", "outer ends" })
  end)
end

function T.test_cancel()
  aio.run(function()
    local log = {}
    local t = aio.create_task(function()
      local _ <close> = closing(log, "a")
      aio.sleep(60)
    end)
    aio.sleep(0)
    t:cancel()
    pcall(t.await, t)
    lu.assertTrue(t:cancelled())
    lu.assertEquals(log, { "a begins cancelled", "a ends" })
  end)
end

function T.test_timeout()
  aio.run(function()
    local log = {}
    local ok, err = aio.catch(aio.TimeoutError, aio.timeout, 0.001, function()
      local _ <close> = closing(log, "a")
      aio.sleep(60)
    end)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err.context, aio.CancelledError))
    lu.assertEquals(log, { "a begins cancelled", "a ends" })
  end)
end

function T.test_under_plain_pcalls()
  aio.run(function()
    local log = {}
    local t = outcome(function()
      local ok, err = pcall(function()
        local _ <close> = closing(log, "outer")
        return pcall(function()
          local _ <close> = closing(log, "inner")
          aio.sleep(0)
          error({ "inner" })
        end)
      end)
      return ok, err
    end)
    lu.assertEquals({ t:result() }, { true, false })
    lu.assertEquals(log, { "inner begins with an error", "inner ends", "outer begins without",
      "outer ends" })
  end)
end

function T.test_a_second_cancel_interrupts_the_cleanup()
  aio.run(function()
    local reached
    local t = aio.create_task(function()
      local _ <close> = aio.defer(function()
        aio.sleep(60)
        reached = true
      end)
      aio.sleep(60)
    end)
    aio.sleep(0)
    t:cancel()
    aio.sleep(0)
    t:cancel "again"
    pcall(t.await, t)
    lu.assertTrue(t:cancelled())
    lu.assertNil(reached)
  end)
end

function T.test_deep_closers_unwind()
  aio.run(function()
    local depth = 0
    local function nest(n)
      local _ <close> = aio.defer(function()
        aio.sleep(0)
        depth = depth + 1
      end)
      if n == 0 then error "bottom" end
      nest(n - 1)
    end
    local t = outcome(nest, 1000)
    lu.assertStrContains(t:exception(), "bottom")
    lu.assertEquals(depth, 1001)
  end)
end

function T.test_errors_in_closers_replace()
  aio.run(function()
    local t = outcome(function()
      local _ <close> = aio.defer(function()
        aio.sleep(0)
        error("second", 0)
      end)
      error("first", 0)
    end)
    lu.assertEquals(t:exception(), "second")
  end)
end

function T.test_exit_stack()
  aio.run(function()
    local log = {}
    do
      local stack <close> = aio.ExitStack()
      for _, name in ipairs { "a", "b" } do stack:enter(closing(log, name)) end
      stack:defer(function() log[#log + 1] = "deferred" end)
    end
    lu.assertEquals(log, { "deferred", "b begins without", "b ends", "a begins without",
      "a ends" })
    local kept
    do
      local stack <close> = aio.ExitStack()
      stack:defer(function() log[#log + 1] = "later" end)
      kept = stack:pop_all()
    end
    lu.assertNotEquals(log[#log], "later")
    getmetatable(kept).__close(kept)
    lu.assertEquals(log[#log], "later")
  end)
end

function T.test_exit_stack_passes_errors_on()
  aio.run(function()
    local seen = {}
    local ok, err = pcall(function()
      local stack <close> = aio.ExitStack()
      stack:enter(setmetatable({}, { __close = function(_, e) seen[1] = e end }))
      stack:defer(error, "second", 0)
      error("first", 0)
    end)
    lu.assertFalse(ok)
    lu.assertEquals(err, "second")
    lu.assertEquals(seen, { "second" })
  end)
end

function T.test_scopes_without_close_are_closed_at_the_end_and_reported()
  local reports = {}
  aio.run(function()
    aio.get_running_loop():set_exception_handler(function(_, ctx)
      reports[#reports + 1] = ctx.kind
    end)
    local child
    local t = aio.create_task(function()
      aio.timeout(60)
      local group = aio.TaskGroup()
      child = group:create_task(aio.sleep, 0)
      return "result"
    end)
    lu.assertEquals(t:await(), "result")
    lu.assertTrue(child:done())
  end)
  lu.assertEquals(reports, { "unclosed", "unclosed" })
end

function T.test_swallowed_cancellations_are_reported()
  local reports = {}
  local function handler(_, ctx) reports[#reports + 1] = ctx.kind end
  aio.run_with({ debug = true }, function()
    aio.get_running_loop().slow_callback_duration = 1e9 -- on a busy machine any step is slow
    aio.get_running_loop():set_exception_handler(handler)
    aio.timeout(0.001, function() pcall(aio.sleep, 60) end)
    local t = aio.create_task(function() pcall(aio.sleep, 60) end)
    aio.sleep(0)
    t:cancel()
    t:await()
  end)
  lu.assertEquals(reports, { "swallowed_cancel", "swallowed_cancel" })
end

function T.test_pcall_lets_base_errors_pass()
  aio.run(function()
    local t = aio.create_task(function()
      aio.pcall(aio.sleep, 60)
      return "swallowed"
    end)
    aio.sleep(0)
    t:cancel()
    pcall(t.await, t)
    lu.assertTrue(t:cancelled())
    lu.assertEquals({ aio.pcall(error, "x", 0) }, { false, "x" })
    lu.assertEquals({ aio.pcall(function(...) aio.sleep(0) return ... end, 1, 2) }, { true, 1, 2 })
    local handled = 0
    local ok = aio.xpcall(error, function(e) handled = handled + 1 return e end, "x")
    lu.assertFalse(ok)
    lu.assertEquals(handled, 1)
    lu.assertFalse((pcall(aio.xpcall, error, function() handled = 9 end, aio.SystemExit(1))))
    lu.assertEquals(handled, 1)
    lu.assertEquals({ aio.xpcall(function(...) return ... end, print, 1, 2) }, { true, 1, 2 })
  end)
end

function T.test_catch()
  local MyError = aio.LookupError:extend "MyError"
  lu.assertEquals({ aio.catch(MyError, function() return 1, 2 end) }, { true, 1, 2 })
  local ok, err = aio.catch({ aio.TimeoutError, aio.LookupError }, error, MyError("m"))
  lu.assertFalse(ok)
  lu.assertEquals(err.message, "m")
  lu.assertErrorMsgContains("plain", aio.catch, aio.Error, error, "plain")
  lu.assertErrorMsgContains("Timeout", aio.catch, MyError, error, aio.TimeoutError())
end

return T
