-- SPDX-License-Identifier: MIT
-- Signals: handlers of a loop, the iterator, what stands in force before and after. Cases that are
-- about what a signal does to a whole process run in a process of their own.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"

local T = {}

local function raise(sig) aio.kill(aio.getpid(), sig) end

-- "caught", "ignored" or "default".
local function disposition(number)
  local mask = {}
  for line in io.lines "/proc/self/status" do
    local name, bits = line:match "^Sig(%u%l%l):%s*(%x+)"
    if name then mask[name] = tonumber(bits, 16) end
  end
  local bit = 1 << (number - 1)
  if mask.Ign & bit ~= 0 then return "ignored" end
  return mask.Cgt & bit ~= 0 and "caught" or "default"
end

local USR1, USR2 = 10, 12

-- What a script prints, and how it ended. It begins with the default action for every signal.
local function child(code)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write('local aio = require "aio"\n',
    "local function raise(sig) aio.kill(aio.getpid(), sig) end\n", code)
  file:close()
  local command = env.command(env.quote(path)):gsub("AIO_TEST_ROOT=",
    "env --default-signal AIO_TEST_ROOT=", 1)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1; echo status $?"))
  local out = pipe:read "a"
  pipe:close()
  os.remove(path)
  -- Lua's own interpreter catches Ctrl-C while a script runs; by this word its handler is in force.
  return (out:gsub("[^\n]*: interrupted!\n.*status 1\n$", "status 130\n"))
end

-- ---- handlers ----

function T.test_a_handler_runs_as_a_callback_with_its_arguments()
  aio.run(function()
    local loop, done, inside = aio.get_running_loop(), aio.Event(), false
    local got
    loop:add_signal_handler("SIGUSR1", function(...)
      got = { inside, aio.current_task(), ... }
      done:set()
    end, "a", 2)
    inside = true
    raise "SIGUSR1"
    inside = false
    done:wait()
    lu.assertEquals(got, { false, nil, "a", 2 })
    lu.assertTrue(loop:remove_signal_handler("SIGUSR1"))
    lu.assertFalse(loop:remove_signal_handler("SIGUSR1"))
  end)
end

function T.test_numbers_name_the_same_signals()
  aio.run(function()
    local loop, done = aio.get_running_loop(), aio.Event()
    loop:add_signal_handler(USR1, done.set, done)
    raise(USR1)
    done:wait()
    lu.assertTrue(loop:remove_signal_handler "SIGUSR1")
  end)
end

function T.test_a_second_handler_replaces_the_first()
  aio.run(function()
    local loop, done, got = aio.get_running_loop(), aio.Event(), {}
    loop:add_signal_handler("SIGUSR1", function() table.insert(got, "first") end)
    loop:add_signal_handler("SIGUSR1", function()
      table.insert(got, "second")
      done:set()
    end)
    raise "SIGUSR1"
    done:wait()
    lu.assertEquals(got, { "second" })
    loop:remove_signal_handler "SIGUSR1"
    lu.assertEquals(disposition(USR1), "default")
  end)
end

function T.test_what_was_in_force_before_is_in_force_again()
  lu.assertEquals(disposition(USR2), "default")
  aio.run(function()
    local loop = aio.get_running_loop()
    loop:add_signal_handler("SIGUSR2", print)
    lu.assertEquals(disposition(USR2), "caught")
    loop:remove_signal_handler "SIGUSR2"
    lu.assertEquals(disposition(USR2), "default")
    loop:add_signal_handler("SIGUSR2", print)
  end)
  lu.assertEquals(disposition(USR2), "default") -- the loop was closed with it
end

function T.test_several_loops_have_a_handler_for_the_same_signal()
  local got, loops = {}, {}
  for i = 1, 2 do
    local loop = aio.new_event_loop()
    loop:add_signal_handler("SIGUSR1", function()
      table.insert(got, i)
      loop:stop()
    end)
    loops[i] = loop
  end
  raise "SIGUSR1"
  for i = 1, 2 do loops[i]:run_forever() end
  lu.assertEquals(got, { 1, 2 })
  loops[1]:close()
  lu.assertEquals(disposition(USR1), "caught")
  loops[2]:close()
  lu.assertEquals(disposition(USR1), "default")
end

function T.test_a_loop_with_a_handler_is_not_deadlocked()
  aio.run(function()
    local loop, done = aio.get_running_loop(), aio.Future()
    loop:add_signal_handler("SIGALRM", done.set_result, done, "rang")
    local sender <close> = assert(io.popen("kill -ALRM " .. aio.getpid()))
    lu.assertEquals({ done:await(), io.type(sender) }, { "rang", "file" })
    loop:remove_signal_handler "SIGALRM"
  end)
end

function T.test_an_error_in_a_handler_is_reported_and_it_stays()
  aio.run(function()
    local loop, kinds, times, done = aio.get_running_loop(), {}, 0, aio.Event()
    loop:set_exception_handler(function(_, ctx)
      table.insert(kinds, ctx.kind)
      ctx.handle:cancel() -- whatever is done with what a report holds
    end)
    loop:add_signal_handler("SIGUSR1", function()
      times = times + 1
      done:set()
      error "bad"
    end)
    raise "SIGUSR1"
    done:wait()
    aio.sleep(0)
    lu.assertEquals({ times, kinds }, { 1, { "callback_error" } })
    lu.assertEquals(disposition(USR1), "default")
    lu.assertTrue(loop:remove_signal_handler "SIGUSR1")
  end)
end

function T.test_a_handler_may_remove_itself()
  aio.run(function()
    local loop, done = aio.get_running_loop(), aio.Event()
    loop:add_signal_handler("SIGUSR1", function()
      lu.assertTrue(loop:remove_signal_handler "SIGUSR1")
      done:set()
    end)
    raise "SIGUSR1"
    done:wait()
    lu.assertEquals(disposition(USR1), "default")
  end)
end

function T.test_a_step_delivers_too()
  local loop <close> = aio.new_event_loop()
  local got = 0
  loop:add_signal_handler("SIGUSR1", function() got = got + 1 end)
  raise "SIGUSR1"
  loop:step()
  lu.assertEquals(got, 1)
  raise "SIGUSR1"
  loop:step()
  lu.assertEquals(got, 2)
end

-- ---- signals ----

function T.test_signals_come_one_after_the_other()
  aio.run(function()
    local got = {}
    aio.get_running_loop():call_soon(raise, "SIGUSR1")
    for sig in aio.signals("SIGUSR1", USR2) do
      table.insert(got, sig)
      if #got == 3 then break end
      raise(USR2)
    end
    lu.assertEquals(got, { "SIGUSR1", "SIGUSR2", "SIGUSR2" })
  end)
end

function T.test_signals_that_come_together_are_all_given()
  aio.run(function()
    local sigs <close> = aio.signals("SIGUSR1", "SIGUSR2", "SIGUSR1")
    raise "SIGUSR1"
    raise "SIGUSR2"
    local got = { sigs(), sigs() }
    table.sort(got)
    lu.assertEquals(got, { "SIGUSR1", "SIGUSR2" })
    sigs:close()
    lu.assertNil(sigs())
    sigs:close()
  end)
end

function T.test_leaving_the_loop_over_signals_restores()
  aio.run(function()
    local function leave(how)
      for _ in aio.signals "SIGUSR1" do
        lu.assertEquals(disposition(USR1), "caught")
        how()
      end
    end
    local waiting = aio.create_task(leave, print)
    aio.sleep(0)
    lu.assertEquals(disposition(USR1), "caught")
    waiting:cancel()
    lu.assertFalse((aio.catch(aio.CancelledError, waiting.await, waiting)))
    lu.assertEquals(disposition(USR1), "default")
    aio.get_running_loop():call_soon(raise, "SIGUSR1")
    lu.assertFalse((pcall(leave, function() error "out" end)))
    lu.assertEquals(disposition(USR1), "default")
  end)
end

function T.test_signals_stand_beside_a_handler_and_each_other()
  aio.run(function()
    local loop, handled = aio.get_running_loop(), aio.Event()
    loop:add_signal_handler("SIGUSR1", handled.set, handled)
    local a <close> = aio.signals "SIGUSR1"
    local b <close> = aio.signals "SIGUSR1"
    raise "SIGUSR1"
    lu.assertEquals({ a(), b(), handled:wait() }, { "SIGUSR1", "SIGUSR1", true })
    loop:remove_signal_handler "SIGUSR1"
    lu.assertEquals(disposition(USR1), "caught")
  end)
  lu.assertEquals(disposition(USR1), "default")
end

function T.test_signals_that_are_collected_restore()
  aio.run(function()
    aio.signals "SIGUSR1"
    lu.assertEquals(disposition(USR1), "caught")
    collectgarbage()
    collectgarbage()
    lu.assertEquals(disposition(USR1), "default")
  end)
end

-- ---- what cannot be ----

local function refused(message, fn, ...)
  lu.assertErrorMsgContains(message, fn, ...)
end

function T.test_wrong_arguments()
  aio.run(function()
    local loop = aio.get_running_loop()
    for _, sig in ipairs { "SIGKILL", "SIGSTOP", 9 } do
      refused("cannot be caught", loop.add_signal_handler, loop, sig, print)
      refused("cannot be caught", aio.signals, sig)
    end
    refused("bad argument #1 to 'add_signal_handler' (this system has no signal 'TERM'; names",
      loop.add_signal_handler, loop, "TERM", print)
    refused("no signal '1000'", loop.add_signal_handler, loop, 1000, print)
    refused("no signal '-1'", loop.remove_signal_handler, loop, -1)
    refused("got boolean", loop.remove_signal_handler, loop, true)
    refused("function expected, got nil", loop.add_signal_handler, loop, "SIGUSR1")
    refused("at least one signal", aio.signals)
    refused("bad argument #2 to 'signals'", aio.signals, "SIGUSR1", "SIGFOO")
    refused("no signal 'SIGFOO'", aio.kill, aio.getpid(), "SIGFOO")
    refused("number of a process expected", aio.kill, 1 << 40, 0)
    lu.assertEquals(disposition(USR1), "default")
  end)
  local ok, err = aio.catch(aio.RuntimeError, aio.signals, "SIGUSR1")
  lu.assertFalse(ok)
  lu.assertStrContains(err.message, "no running loop")
  local loop = aio.new_event_loop()
  loop:close()
  lu.assertFalse((aio.catch(aio.RuntimeError, loop.add_signal_handler, loop, "SIGUSR1", print)))
end

function T.test_kill_tells_what_failed()
  aio.kill(aio.getpid(), 0)
  local ok, err = aio.catch(aio.OSError, aio.kill, 0x3fffffff, 0)
  lu.assertFalse(ok)
  lu.assertEquals({ err.code, err.syscall }, { "ESRCH", "kill" })
end

-- ---- beside Ctrl-C ----

function T.test_a_handler_of_ones_own_goes_before_the_rules_of_run()
  lu.assertEquals(child [[
    local ok, err = pcall(aio.run, function()
      local loop, seen = aio.get_running_loop(), aio.Queue()
      loop:add_signal_handler("SIGINT", seen.put_nowait, seen, "handled")
      for _ = 1, 3 do
        raise "SIGINT"
        print(seen:get())
      end
      loop:remove_signal_handler "SIGINT"
      raise "SIGINT"
      aio.sleep(60)
    end)
    print(ok, aio.is(err, aio.KeyboardInterrupt))
    raise "SIGINT"
  ]], "handled\nhandled\nhandled\nfalse\ttrue\nstatus 130\n")
end

function T.test_a_handler_that_outlives_its_run()
  lu.assertEquals(child [[
    local runner, seen = aio.Runner(), nil
    runner:run(function()
      seen = aio.Queue()
      aio.get_running_loop():add_signal_handler("SIGINT", seen.put_nowait, seen, "handled")
    end)
    runner:run(function()
      raise "SIGINT"
      print(seen:get())
    end)
    runner:close()
    print(pcall(aio.run, function() return "next" end))
    raise "SIGINT"
  ]], "handled\ntrue\tnext\nstatus 130\n")
end

function T.test_ignored_stays_ignored()
  lu.assertEquals(child [[
    aio.run(function()
      local loop, seen = aio.get_running_loop(), aio.Queue()
      raise "SIGPIPE" -- which run ignores
      loop:add_signal_handler("SIGPIPE", seen.put_nowait, seen, "handled")
      raise "SIGPIPE"
      print(seen:get())
      loop:remove_signal_handler "SIGPIPE"
      raise "SIGPIPE"
      loop:add_signal_handler("SIGPIPE", print)
    end)
    print "still here"
    raise "SIGPIPE"
  ]], "handled\nstill here\nstatus 141\n")
end

return T
