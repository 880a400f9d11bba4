-- SPDX-License-Identifier: MIT
-- Ctrl-C under run: every case is a process of its own, which sends SIGINT to itself. It is sent by
-- a child that has ended when `interrupt()` returns, so the signal has arrived by then.

local lu = require "luaunit"
local env = require "support.env"

local T = { elsewhere = true }

local PRELUDE = [[
local aio = require "aio"
local stat = assert(io.open "/proc/self/stat")
local pid = stat:read "n"
stat:close()
local function interrupt() io.popen("kill -INT " .. pid):close() end
-- when this process sleeps in the kernel
local function interrupt_asleep()
  return io.popen(("while ! grep -q '^State:.S' /proc/%d/status; do :; done; kill -INT %d")
    :format(pid, pid))
end
local function dispositions()
  local mask = {}
  for line in io.lines "/proc/self/status" do
    local name, bits = line:match "^Sig(%u%l%l):%s*(%x+)"
    if name then mask[name] = tonumber(bits, 16) end
  end
  local function of(sig)
    local bit = 1 << (sig - 1)
    return mask.Ign & bit ~= 0 and "ignored" or mask.Cgt & bit ~= 0 and "caught" or "default"
  end
  return "INT " .. of(2) .. ", PIPE " .. of(13)
end
local function busy(stop) while not stop() do end end
]]

-- Whoever runs the suite may ignore SIGINT, so the child gets the default back.
local function child(code, signals)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(PRELUDE, code)
  file:close()
  local command = env.command(env.quote(path)):gsub("AIO_TEST_ROOT=",
    "env " .. (signals or "--default-signal=INT,PIPE") .. " AIO_TEST_ROOT=", 1)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1; echo status $?"))
  local out = pipe:read "a"
  pipe:close()
  os.remove(path)
  return out
end

function T.test_first_cancels_a_sleeping_main()
  lu.assertEquals(child [[
    local ok, err = pcall(aio.run, function()
      local p <close> = interrupt_asleep()
      local ok, err = pcall(aio.sleep, 60)
      print(ok, aio.is(err, aio.CancelledError))
      error(err, 0)
    end)
    print(ok, aio.is(err, aio.KeyboardInterrupt))
  ]], "false\ttrue\nfalse\ttrue\nstatus 0\n")
end

function T.test_first_waits_for_a_busy_main_to_wait()
  lu.assertEquals(child [[
    local ok, err = pcall(aio.run, function()
      interrupt()
      for _ = 1, 1e5 do end
      print "still here"
      aio.sleep(60)
    end)
    print(ok, aio.is(err, aio.KeyboardInterrupt))
  ]], "still here\nfalse\ttrue\nstatus 0\n")
end

function T.test_main_may_absorb_the_first()
  lu.assertEquals(child [[
    print(aio.run(function()
      interrupt()
      local ok, err = pcall(aio.sleep, 60)
      aio.current_task():uncancel()
      return ok, aio.is(err, aio.CancelledError)
    end))
  ]], "false\ttrue\nstatus 0\n")
end

function T.test_first_ends_children_too()
  lu.assertEquals(child [[
    local ok, err = pcall(aio.run, function()
      aio.create_task(function()
        local _ <close> = aio.defer(print, "child ends")
        aio.sleep(60)
      end)
      aio.sleep(0)
      interrupt()
      aio.sleep(60)
    end)
    print(ok, aio.is(err, aio.KeyboardInterrupt))
  ]], "child ends\nfalse\ttrue\nstatus 0\n")
end

function T.test_second_stops_a_busy_loop()
  lu.assertEquals(child [[
    local ok, err = pcall(aio.run, function()
      interrupt()
      interrupt()
      while true do end
    end)
    print(ok, aio.is(err, aio.KeyboardInterrupt))
  ]], "false\ttrue\nstatus 0\n")
end

function T.test_second_stops_a_busy_child_task()
  lu.assertEquals(child [[
    local ok, err = pcall(aio.run, function()
      aio.create_task(function()
        local _ <close> = aio.defer(print, "child ends")
        interrupt()
        interrupt()
        while true do end
      end)
      local _ <close> = aio.defer(print, "main ends")
      aio.sleep(60)
    end)
    print(ok, aio.is(err, aio.KeyboardInterrupt))
  ]], "child ends\nmain ends\nfalse\ttrue\nstatus 0\n")
end

function T.test_second_stops_a_busy_callback()
  lu.assertEquals(child [[
    local ok, err = pcall(aio.run, function()
      aio.get_running_loop():call_soon(function()
        interrupt()
        interrupt()
        while true do end
      end)
      aio.sleep(60)
    end)
    print(ok, aio.is(err, aio.KeyboardInterrupt))
  ]], "false\ttrue\nstatus 0\n")
end

function T.test_second_while_the_loop_sleeps()
  lu.assertEquals(child [[
    local ok, err = pcall(aio.run, function()
      interrupt()
      pcall(aio.sleep, 60) -- swallows the first
      local p <close> = interrupt_asleep()
      aio.sleep(60)
    end)
    print(ok, aio.is(err, aio.KeyboardInterrupt))
  ]], "false\ttrue\nstatus 0\n")
end

function T.test_second_inside_a_coroutine_of_aio()
  lu.assertEquals(child [[
    if not aio.coroutine then print(false, true) os.exit(0) end
    local ok, err = pcall(aio.run, function()
      aio.coroutine.wrap(function()
        interrupt()
        interrupt()
        while true do end
      end)()
    end)
    print(ok, aio.is(err, aio.KeyboardInterrupt))
  ]], "false\ttrue\nstatus 0\n")
end

function T.test_third_has_the_default_action()
  lu.assertEquals(child [[
    aio.run(function()
      io.stdout:setvbuf "no"
      interrupt()
      pcall(interrupt) -- the second raises in here
      print "third"
      interrupt()
      print "not reached"
    end)
  ]], "third\nstatus 130\n")
end

function T.test_main_ends_with_130()
  lu.assertEquals(child [[
    aio.main(function()
      interrupt()
      aio.sleep(60)
    end)
  ]]:match "status.*", "status 130\n")
end

function T.test_main_prints_the_traceback_of_its_task()
  local text = child [[
    local function leaf() error "boom" end
    aio.main(function() leaf() end)
  ]]
  lu.assertStrContains(text, ": boom\nstack traceback:\n")
  lu.assertStrContains(text, "in upvalue 'leaf'")
  lu.assertStrContains(text, "status 1\n")
end

function T.test_main_prints_the_tracebacks_of_a_group()
  local text = child [[
    local function leaf() error(aio.OSError "gone") end
    aio.main(function()
      local outer <close> = aio.TaskGroup()
      outer:create_task(function()
        local inner <close> = aio.TaskGroup()
        inner:create_task(function() leaf() end)
      end)
    end)
  ]]
  lu.assertStrContains(text, "error 1.1: stack traceback:\n")
  lu.assertStrContains(text, "in upvalue 'leaf'")
  lu.assertStrContains(text, "status 1\n")
end

-- A plain value cannot carry a traceback: the task that failed first has it.
local ORIGINS = {
  await = "aio.create_task(leaf):await()",
  a_task_that_has_ended = "local t = aio.create_task(leaf) aio.wait { t } t:result()",
  gather = "aio.gather(leaf, print)",
  gather_future = "aio.gather_future(leaf):await()",
  shield = "aio.shield(leaf):await()",
  map = "aio.map(leaf, { 1 })",
  race = "aio.race(leaf)",
  the_end_of_a_block = "local _ <close> = aio.create_task(leaf) aio.sleep(0)",
  a_group = "local group <close> = aio.TaskGroup() group:create_task(leaf)",
  the_body_of_a_group = "local _ <close> = aio.TaskGroup() leaf()",
}

function T.test_main_prints_where_a_plain_error_came_from()
  for name, body in pairs(ORIGINS) do
    local text = child([[
      local function missing() local t; t.x = 1 end
      local function leaf() missing() end
      aio.main(function() ]] .. body .. " end)")
    lu.assertStrContains(text, "attempt to index a nil value", false, false, name)
    lu.assertStrContains(text, "in upvalue 'missing'", false, false, name)
    lu.assertStrContains(text, "status 1\n")
  end
end

function T.test_main_prints_the_chain_of_awaits()
  local text = child [[
    local low
    aio.main(function()
      low = aio.create_task_with({ name = "low" }, function() error "plain" end)
      aio.create_task_with({ name = "high" }, function() low:await() end):await()
    end)
  ]]
  lu.assertStrMatches(text, ".*plain\nstack traceback:.*\nawaited by high:\n.*\n"
    .. "awaited by Task%-1:\n.*status 1\n")
end

function T.test_dispositions_are_put_back()
  lu.assertEquals(child [[
    local before = dispositions()
    aio.run(function() print(dispositions()) end)
    print(dispositions() == before)
    pcall(aio.run, function()
      interrupt()
      interrupt()
      while true do end
    end)
    print(dispositions() == before)
  ]], "INT caught, PIPE ignored\ntrue\ntrue\nstatus 0\n")
end

function T.test_an_ignored_interrupt_stays_ignored()
  lu.skipIf(not env.host, "the stock interpreter catches SIGINT itself")
  lu.assertEquals(child([[
    aio.run(function()
      print(dispositions())
      interrupt()
      aio.sleep(0)
      print "went on"
    end)
    print(dispositions())
  ]], "--default-signal=PIPE --ignore-signal=INT"),
    "INT ignored, PIPE ignored\nwent on\nINT ignored, PIPE default\nstatus 0\n")
end

function T.test_signals_false_touches_nothing()
  lu.assertEquals(child [[
    local before = dispositions()
    aio.run_with({ signals = false }, function() print(dispositions() == before) end)
  ]], "true\nstatus 0\n")
end

function T.test_a_stepped_loop_touches_nothing()
  lu.assertEquals(child [[
    local before = dispositions()
    local loop = aio.new_event_loop()
    loop:create_task(function() aio.sleep(0) print(dispositions() == before) end)
    while loop:step() or #aio.all_tasks(loop) > 0 do end
    print(dispositions() == before)
    loop:close()
  ]], "true\ntrue\nstatus 0\n")
end

function T.test_a_second_run_can_be_interrupted_as_well()
  lu.assertEquals(child [[
    for _ = 1, 2 do
      local ok, err = pcall(aio.run, function()
        interrupt()
        aio.sleep(60)
      end)
      print(ok, aio.is(err, aio.KeyboardInterrupt))
    end
  ]], "false\ttrue\nfalse\ttrue\nstatus 0\n")
end

return T
