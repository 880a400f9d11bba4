-- SPDX-License-Identifier: MIT
-- aio.testing: the virtual clock, and what fails a test.

local env = require "support.env"
local aio = require "aio"
local lu = require "luaunit"
local testing = require "aio.testing"

local T = {}

local function line() return debug.getinfo(2, "l").currentline end

-- Runs `fn` under testing.run, which must fail; the message.
local function fails(fn, opts)
  local ok, err = pcall(testing.run, fn, opts)
  lu.assertFalse(ok)
  lu.assertTrue(aio.is(err, aio.RuntimeError), tostring(err))
  return err.message
end

local function made_at(n) return "test_testing.lua:" .. n end

T.TestClock = {}

function T.TestClock.test_jumps_when_all_are_blocked()
  testing.run(function()
    local clock = testing.clock()
    lu.assertEquals(clock:now(), 0)
    aio.sleep(3600)
    lu.assertEquals(clock:now(), 3600)
    lu.assertEquals(aio.get_running_loop():time(), 3600)
  end)
end

function T.TestClock.test_order_of_sleepers()
  local log = {}
  testing.run(function()
    local function sleeper(s)
      aio.sleep(s)
      log[#log + 1] = { s, testing.clock():now() }
    end
    aio.map(sleeper, { 30, 10, 20 })
  end)
  lu.assertEquals(log, { { 10, 10 }, { 20, 20 }, { 30, 30 } })
end

function T.TestClock.test_callbacks_that_are_due_come_before_sleepers()
  local log = {}
  local function note(what) log[#log + 1] = what end
  testing.run(function()
    local loop = aio.get_running_loop()
    for i = 1, 2 do
      aio.create_task(function()
        aio.sleep(i)
        note("sleeper " .. i)
      end)
    end
    local late = aio.create_task(function() aio.sleep(3) note "not printed" end)
    aio.sleep(0)
    loop:call_later(2, note, "callback")
    loop:call_later(4, late.cancel, late) -- its sleep is over, but it has not gone on
    testing.clock():advance(5)
    testing.wait_all_blocked()
    lu.assertTrue(late:cancelled())
  end)
  lu.assertEquals(log, { "callback", "sleeper 1", "sleeper 2" })
end

function T.TestClock.test_stands_still_while_somebody_can_run()
  testing.run(function()
    for _ = 1, 100 do aio.sleep(0) end
    lu.assertEquals(testing.clock():now(), 0)
  end)
end

function T.TestClock.test_timeout()
  testing.run(function()
    lu.assertFalse((pcall(aio.timeout, 5, aio.sleep, 10)))
    lu.assertEquals(testing.clock():now(), 5)
    aio.timeout(5, aio.sleep, 1)
    lu.assertEquals(testing.clock():now(), 6)
  end)
end

function T.TestClock.test_advance()
  testing.run(function()
    local clock = testing.clock()
    local woke
    local t = aio.create_task(function()
      aio.sleep(10)
      woke = clock:now()
    end)
    testing.wait_all_blocked()
    clock:advance(4)
    testing.wait_all_blocked()
    lu.assertNil(woke)
    clock:advance(7)
    testing.wait_all_blocked()
    lu.assertEquals(woke, 11)
    t:await()
    lu.assertEquals(clock:now(), 11)
  end)
end

function T.TestClock.test_wait_all_blocked()
  testing.run(function()
    local turns = 0
    local t = aio.create_task(function()
      for _ = 1, 10 do
        aio.sleep(0)
        turns = turns + 1
      end
      aio.sleep(1)
    end)
    testing.wait_all_blocked()
    lu.assertEquals(turns, 10)
    lu.assertEquals(testing.clock():now(), 0)
    t:await()
  end)
end

function T.TestClock.test_wait_all_blocked_alone_is_no_deadlock()
  testing.run(function()
    testing.wait_all_blocked()
    testing.wait_all_blocked()
  end)
end

function T.TestClock.test_wait_all_blocked_can_be_cancelled()
  testing.run(function()
    local t = aio.create_task(testing.wait_all_blocked)
    aio.sleep(0)
    t:cancel()
    lu.assertFalse((pcall(t.await, t)))
    lu.assertTrue(t:cancelled())
  end)
  -- what it held is given back: this is a deadlock again
  local message = fails(function()
    local t = aio.create_task(testing.wait_all_blocked)
    aio.sleep(0)
    t:cancel()
    pcall(t.await, t)
    aio.Future():await()
  end)
  lu.assertStrContains(message, "deadlock")
end

function T.TestClock.test_only_under_testing_run()
  aio.run(function()
    for _, fn in ipairs { testing.wait_all_blocked, testing.clock } do
      local ok, err = pcall(fn)
      lu.assertFalse(ok)
      lu.assertTrue(aio.is(err, aio.RuntimeError))
      lu.assertStrContains(err.message, "testing.run")
    end
  end)
  lu.assertFalse((pcall(testing.clock)))
end

function T.TestClock.test_arguments()
  lu.assertErrorMsgContains("bad argument #1 to 'run'", function() testing.run(1) end)
  lu.assertErrorMsgContains("unknown option", function() testing.run(print, { x = 1 }) end)
  lu.assertErrorMsgContains("bad argument #1 to 'case'", function() testing.case() end)
  testing.run(function()
    local clock = testing.clock()
    for _, bad in ipairs { -1, 0 / 0, math.huge, "x" } do
      lu.assertErrorMsgContains("bad argument #1 to 'advance'", function() clock:advance(bad) end)
    end
  end)
end

-- With real descriptors the clock waits for them to be quiet.
function T.TestClock.test_real_sockets()
  testing.run(function()
    local server <close> = aio.start_server(function(conn)
      local _ <close> = conn
      for l in conn:lines() do
        aio.sleep(100)
        conn:write(l, "\n")
      end
    end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", server.port)
    conn:write "hello\n"
    lu.assertEquals(aio.timeout(150, conn.read, conn, "l"), "hello")
    lu.assertEquals(testing.clock():now(), 100)
  end)
end

-- Pieces of a whole that nobody is woken for are no quiet. On a busy machine handling them takes as
-- long as the quiet does; here each recv takes that.
function T.TestClock.test_pieces_that_wake_nobody()
  lu.skipIf(env.valgrind or not os.execute "command -v strace >/dev/null",
    "needs strace")
  local size = env.hostile and 2048 or 1 << 20
  local out = env.shell(([[
    local size = %d
    require("aio.testing").run(function()
      local server <close> = aio.start_server(function(conn)
        local _ <close> = conn
        conn:write(("x"):rep(size))
      end, "127.0.0.1", 0)
      local conn <close> = aio.open_connection("127.0.0.1", server.port, { limit = 2 << 20 })
      print(#aio.timeout(1, conn.readexactly, conn, size))
    end)]]):format(size), "ASAN_OPTIONS=detect_leaks=0 strace -fqq -o /dev/null -e trace=recvfrom"
    .. " -e inject=recvfrom:delay_exit=12000 %s 2>&1")
  lu.skipIf(out:find "ptrace", "strace is not allowed here")
  lu.assertEquals(out, size .. "\n")
end

-- Memory streams are nothing real: no quiet is waited for, and a deadlock is seen.
function T.TestClock.test_memory_streams()
  testing.run(function()
    local a <close>, b = testing.stream_pair()
    local _ <close> = b
    local t = aio.create_task(function()
      for l in b:lines() do
        aio.sleep(1)
        b:write(l, "\n")
      end
    end)
    for i = 1, 1000 do
      a:write(i, "\n")
      lu.assertEquals(a:read "l", tostring(i))
    end
    lu.assertEquals(testing.clock():now(), 1000)
    a:write_eof()
    t:await()
  end)
  lu.assertErrorMsgContains("deadlock", testing.run, function()
    local a <close>, b = testing.stream_pair()
    local _ <close> = b
    a:read(1)
  end)
end

-- A server that reads from its clients, and an event that is set when one has come.
local function start_reader()
  local accepted = aio.Event()
  return aio.start_server(function(conn)
    accepted:set()
    conn:read "a"
  end, "127.0.0.1", 0), accepted
end

T.TestLeft = {}

function T.TestLeft.test_nothing()
  local a, b, c = testing.run(function()
    local t = aio.create_task(aio.sleep, 1)
    t:await()
    aio.get_running_loop():call_later(1, print):cancel()
    aio.create_task(aio.sleep, 10):cancel() -- gets the time to end
    do local _ <close> = aio.timeout(1) end
    return 1, nil, 3
  end)
  lu.assertEquals({ a, b, c }, { 1, nil, 3 })
end

function T.TestLeft.test_error_of_the_test_comes_first()
  local object = {}
  local ok, err = pcall(testing.run, function()
    aio.create_task(aio.sleep, 10)
    error(object)
  end)
  lu.assertFalse(ok)
  lu.assertIs(err, object)
end

function T.TestLeft.test_task()
  local n
  local message = fails(function()
    n = line() + 1
    aio.create_task_with({ name = "worker" }, aio.sleep, 10)
  end)
  lu.assertStrContains(message, "left behind")
  lu.assertStrContains(message, "task worker, made at")
  lu.assertStrContains(message, made_at(n))
end

function T.TestLeft.test_callback()
  local n
  local message = fails(function()
    n = line() + 1
    aio.get_running_loop():call_later(7, print)
  end)
  lu.assertStrContains(message, "callback due in 7 s, made at")
  lu.assertStrContains(message, made_at(n))
end

function T.TestLeft.test_scope()
  local n
  local message = fails(function()
    n = line() + 1
    aio.timeout(1)
  end)
  lu.assertStrContains(message, "timeout, made at")
  lu.assertStrContains(message, made_at(n))
end

function T.TestLeft.test_scope_of_another_task()
  local n
  local message = fails(function()
    aio.create_task(function()
      n = line() + 1
      aio.timeout(1)
    end):await()
  end)
  lu.assertStrContains(message, "not closed")
  lu.assertStrContains(message, made_at(n))
end

function T.TestLeft.test_server_and_stream()
  local n, server
  local message = fails(function()
    n = line() + 1
    server = aio.start_server(print, "127.0.0.1", 0)
  end)
  lu.assertStrContains(message, "server, made at")
  lu.assertStrContains(message, made_at(n))
  lu.assertNotNil(server)
  local conn
  message = fails(function()
    local s <close>, accepted = start_reader()
    n = line() + 1
    conn = aio.open_connection("127.0.0.1", s.port)
    accepted:wait()
    s:close_clients()
  end)
  lu.assertStrContains(message, "stream, made at")
  lu.assertStrContains(message, made_at(n))
  lu.assertNotNil(conn)
end

-- What is made in a line of its own, and how it is ended.
local KINDS = {
  { "file", function() return aio.open("/dev/null", "w") end, "close" },
  { "watch of files", function() return aio.fs.watch "." end, "close" },
  { "datagram endpoint", function() local d = aio.open_datagram {} return d end, "close" },
  { "executor", function() local e = aio.Executor { max_workers = 1 } return e end, "shutdown" },
  { "generator", function()
    local g = aio.generator(function(yield) yield(1) yield(2) end)
    return g, g()
  end, "close" },
  { "process", function() return aio.create_subprocess_exec("sleep", 100) end, "kill" },
}

function T.TestLeft.test_all_that_has_to_be_closed()
  for _, kind in ipairs(KINDS) do
    local what, make, close = table.unpack(kind)
    local left -- not collected before the loop is closed, which ends it
    local message = fails(function() left = make() end)
    lu.assertNotNil(left)
    lu.assertStrMatches(message,
      "the test left behind:\n  " .. what .. ", made at .*test_testing.*")
    testing.run(function()
      local x = make()
      x[close](x)
      if what == "process" then x:wait() end
    end)
  end
  testing.run(function() aio.get_running_loop():set_default_executor(aio.Executor()) end)
end

function T.TestLeft.test_handlers_of_signals_and_descriptors()
  local n
  local message = fails(function()
    n = line() + 1
    aio.get_running_loop():add_signal_handler("SIGUSR1", print)
  end)
  lu.assertStrContains(message, "callback, made at")
  lu.assertStrContains(message, made_at(n))
  testing.run(function()
    local loop = aio.get_running_loop()
    loop:add_signal_handler("SIGUSR1", print)
    loop:remove_signal_handler "SIGUSR1"
  end)
end

function T.TestLeft.test_stream_that_nobody_reaches()
  local n
  local message = fails(function()
    local s <close>, accepted = start_reader()
    n = line() + 1
    aio.open_connection("127.0.0.1", s.port)
    accepted:wait()
    s:close_clients()
    collectgarbage()
    collectgarbage()
  end)
  lu.assertStrContains(message, "stream")
  lu.assertStrContains(message, made_at(n))
end

function T.TestLeft.test_errors_that_nobody_handled()
  local message = fails(function() aio.create_task(error, "nobody looks") end)
  lu.assertStrContains(message, "nobody looks")
  lu.assertStrContains(message, "never_retrieved")
  message = fails(function()
    aio.get_running_loop():call_soon(error, "in a callback")
    aio.sleep(0)
  end)
  lu.assertStrContains(message, "in a callback")
end

function T.TestLeft.test_own_exception_handler()
  local seen
  testing.run(function()
    aio.get_running_loop():set_exception_handler(function(_, ctx) seen = ctx.exception end)
    aio.get_running_loop():call_soon(error, "expected")
    aio.sleep(0)
  end)
  lu.assertStrContains(seen, "expected")
end

function T.TestLeft.test_deadlock()
  local message = fails(function() aio.Event():wait() end)
  lu.assertStrContains(message, "deadlock")
end

function T.TestLeft.test_without_debug_mode()
  local message = fails(function()
    lu.assertFalse(aio.get_running_loop():get_debug())
    aio.create_task(aio.sleep, 10)
  end, { debug = false })
  lu.assertStrContains(message, "made at (unknown place)")
end

-- A virtual clock that jumped would end the waiting at once.
function T.test_no_jump_over_what_works_elsewhere()
  testing.run(function()
    local function work()
      os.execute("sleep 0.05")
      return "done"
    end
    lu.assertEquals(aio.wait_for(aio.create_task(aio.to_thread, work), 60), "done")
    local p = aio.create_subprocess_exec("sleep", "0.05")
    lu.assertEquals(aio.wait_for(aio.create_task(p.wait, p), 60), 0)
    aio.sleep(1000)
  end)
end

function T.test_case()
  local seen
  local method = testing.case(function(...)
    aio.sleep(1000)
    seen = table.pack(...)
    return "result"
  end)
  lu.assertEquals(method("self", nil, 3), "result")
  lu.assertEquals(seen, { "self", nil, 3, n = 3 })
  local ok = pcall(testing.case(function() lu.fail("failed") end))
  lu.assertFalse(ok)
end

-- luaunit prints a text; where it was raised is in it, and its own failures are as they were.
function T.test_case_tells_where()
  local function raiser(err) error(err, 0) end
  local place = ("test_testing.lua:%d:"):format(debug.getinfo(raiser, "S").linedefined)
  for _, err in ipairs { "plain", aio.TimeoutError "late" } do
    local ok, text = pcall(testing.case(function()
      aio.catch(aio.OSError, raiser, err)
    end))
    lu.assertEquals({ ok, type(text) }, { false, "string" })
    lu.assertStrContains(text, tostring(err) .. "\nstack traceback:")
    lu.assertStrContains(text, place)
  end
  local mine = {}
  lu.assertIs(select(2, pcall(testing.case(raiser), mine)), mine)
end

return T
