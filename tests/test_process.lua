-- SPDX-License-Identifier: MIT
-- Subprocesses: real children, mostly sh and cat. After each case the driver looks for descriptors
-- and objects; the cases that make many also look for zombies.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local raised = require("support.tasks").raised

local PIPE, DEVNULL, STDOUT = aio.PIPE, aio.DEVNULL, aio.STDOUT
local BIG = 4 * 1024 * 1024 -- more than pipes and streams hold
local MANY = tonumber(os.getenv("AIO_TEST_PROCESSES") or 300) -- one after the other
local AT_ONCE = 200
local exec, shell = aio.create_subprocess_exec, aio.create_subprocess_shell


local T = {}

local function output(p)
  local out = p:communicate()
  return out, p.returncode
end

local LIST = "ls /proc/self/fd | tr '\\n' ' '"

-- What this process had from its own parent, before it opened anything itself.
local function inherited()
  local pipe = assert(io.popen(LIST))
  local out = pipe:read "a"
  pipe:close()
  return out
end
local INHERITED = inherited()

-- "Z" for a zombie, nil when there is no such process.
local function state(pid)
  local file = io.open(("/proc/%d/stat"):format(pid))
  if not file then return nil end
  local text = file:read("a") -- nil when it has gone since
  file:close()
  return text and text:match("%) (%a)")
end

local function wait_until(fn)
  while not fn() do aio.sleep(0.001) end
end

-- What a script prints, after the shell's `before`.
local function script(code, before)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write('local aio = require "aio"\n', code)
  file:close()
  local pipe = assert(io.popen((before or "") .. env.command(env.quote(path)) .. " 2>&1"))
  local out = pipe:read "a"
  pipe:close()
  os.remove(path)
  return out
end

-- A case that runs in a loop of its own.
local function case(name, fn)
  T["test_" .. name] = function() aio.run(fn) end
end

-- ---- starting ----

case("words_are_passed_as_they_are", function()
  local p = exec("printf", "<%s>", "a b", "", "*", 7, { stdout = PIPE })
  lu.assertEquals({ output(p) }, { "<a b><><*><7>", 0 })
end)

case("a_shell_interprets", function()
  lu.assertEquals({ output(shell("echo $((1 + 2)); exit 7", { stdout = PIPE })) }, { "3\n", 7 })
end)

case("the_object_tells_of_itself", function()
  local p = shell("exit 3", { stdout = PIPE })
  lu.assertEquals(math.type(p.pid), "integer")
  lu.assertNil(p.returncode)
  lu.assertEquals({ p.stdin, p.stderr }, {})
  lu.assertEquals(tostring(p), ("Process %d (running)"):format(p.pid))
  lu.assertEquals(p:wait(), 3)
  lu.assertEquals(p:wait(), 3)
  lu.assertEquals(p.returncode, 3)
  lu.assertEquals(tostring(p), ("Process %d (returncode 3)"):format(p.pid))
  p.stdout:close()
end)

case("environment", function()
  local function vars(opts)
    opts.stdout = PIPE
    return (output(shell("echo $AIO_A-$AIO_B-${PATH:+path}", opts)))
  end
  local path = os.getenv "PATH"
  lu.assertEquals(vars { env = { AIO_A = "x", PATH = path } }, "x--path\n")
  lu.assertEquals(vars { extra_env = { AIO_A = "y", AIO_B = 2 } }, "y-2-path\n")
  lu.assertEquals(vars { env = { AIO_A = "x", AIO_B = "b" }, extra_env = { AIO_B = false } },
    "x--path\n") -- the shell has a PATH of its own
end)

case("working_directory_and_ids", function()
  lu.assertEquals(output(exec("pwd", { stdout = PIPE, cwd = "/usr" })), "/usr\n")
  local uid = output(exec("id", "-u", { stdout = PIPE }))
  if uid ~= "0\n" then return end -- only root may
  lu.assertEquals(output(exec("id", "-u", { stdout = PIPE, uid = 65534, gid = 65534 })), "65534\n")
  lu.assertEquals(output(exec("id", "-g", { stdout = PIPE, uid = 65534, gid = 65534 })), "65534\n")
end)

case("a_session_of_its_own", function()
  local function session(opts)
    opts.stdout = PIPE
    local p = exec("cut", "-d ", "-f1,6", "/proc/self/stat", opts)
    local pid, sid = output(p):match "(%d+) (%d+)"
    return pid == sid
  end
  lu.assertFalse(session {})
  lu.assertTrue(session { new_session = true })
  lu.assertTrue(session { detached = true })
end)

case("an_error_names_program_and_reason", function()
  local function why(...)
    local err = raised(aio.OSError, exec, ...)
    return { err.code, err.message, err.filename }
  end
  lu.assertEquals(why "/no/such/program",
    { "ENOENT", "cannot run '/no/such/program': no such file or directory", "/no/such/program" })
  lu.assertEquals(why "aio-no-such-program",
    { "ENOENT", "cannot run 'aio-no-such-program': no such file or directory",
      "aio-no-such-program" })
  lu.assertEquals(why "/usr", { "EACCES", "cannot run '/usr': it is a directory", "/usr" })
  local plain = os.tmpname()
  lu.assertEquals(why(plain),
    { "EACCES", ("cannot run '%s': permission denied"):format(plain), plain })
  lu.assertEquals(why("true", { cwd = "/no/such" }),
    { "ENOENT", "cannot run 'true': there is no working directory '/no/such'", "/no/such" })
  lu.assertEquals(why("true", { stdin = PIPE, stdout = PIPE, cwd = plain })[1], "ENOTDIR")
  os.remove(plain)
  if not env.valgrind then -- it cannot go on after such an execve
    lu.assertEquals(why("true", ("x"):rep(BIG))[1], "E2BIG")
  end
end)

-- ---- waiting and ending ----

case("a_signal_shows_as_a_negative_code", function()
  for sig, number in pairs { SIGTERM = 15, SIGKILL = 9, [1] = 1 } do
    local p = exec("sleep", "60")
    p:send_signal(sig)
    lu.assertEquals(p:wait(), -number)
  end
  local p = exec("sleep", "60")
  p:terminate()
  lu.assertEquals(p:wait(), -15)
  local err = raised(aio.OSError, p.kill, p)
  lu.assertEquals(err.code, "ESRCH")
  raised(aio.OSError, p.terminate, p)
  raised(aio.OSError, p.send_signal, p, "SIGHUP")
end)

case("several_tasks_wait", function()
  local p = exec("sleep", "60")
  local waiters = {}
  for i = 1, 3 do waiters[i] = aio.create_task(p.wait, p) end
  aio.sleep(0)
  waiters[2]:cancel()
  aio.sleep(0)
  p:kill()
  lu.assertEquals({ waiters[1]:await(), waiters[3]:await() }, { -9, -9 })
  lu.assertTrue(waiters[2]:cancelled())
end)

case("a_grandchild_with_the_pipe_open_does_not_hold_up_wait", function()
  local p = shell("sleep 60 & echo $!; exit 4", { stdout = PIPE })
  local grandchild = tonumber(p.stdout:read "l")
  lu.assertEquals(p:wait(), 4)
  lu.assertFalse(p.stdout:at_eof())
  aio.kill(grandchild, "SIGKILL")
  lu.assertNil(p.stdout:read(1))
  p.stdout:close()
end)

case("close_kills_and_waits", function()
  local pid
  do
    local p <close> = shell("trap '' TERM; echo ready; while :; do sleep 1; done",
      { stdin = PIPE, stdout = PIPE })
    pid = p.pid
    p.stdout:readline()
    p:terminate() -- which it ignores
  end
  lu.assertNil(state(pid))
end)

case("close_does_nothing_to_what_has_ended", function()
  local p
  do
    local it <close> = shell("exit 2", { stdout = PIPE, stdin = PIPE })
    p = it
    it:wait()
  end
  lu.assertEquals(p.returncode, 2)
  lu.assertTrue(p.stdout:is_closing() and p.stdin:is_closing())
end)

case("close_where_nothing_can_wait", function()
  local p = exec("sleep", "60")
  aio.atomic(function() local _ <close> = p end)
  lu.assertEquals(p:wait(), -9)
end)

case("a_cancelled_close_leaves_no_zombie", function()
  local p
  local task = aio.create_task(function()
    local it <close> = exec("sleep", "60")
    p = it
    aio.sleep(60)
  end)
  aio.sleep(0)
  task:cancel()
  aio.sleep(0)
  task:cancel() -- while it waits for the end
  raised(aio.CancelledError, task.await, task)
  lu.assertEquals(p:wait(), -9)
  lu.assertNil(state(p.pid))
end)

function T.test_a_closed_loop_kills_what_it_started()
  local p = aio.run(function() return exec("sleep", "60") end)
  aio.run(wait_until, function() return state(p.pid) == nil end)
  lu.assertNil(p.returncode)
  lu.assertStrContains(tostring(p), "its loop is closed")
  aio.run(function()
    local err = raised(aio.RuntimeError, p.wait, p)
    lu.assertStrContains(err.message, "loop of this process was closed")
    lu.assertEquals(raised(aio.OSError, p.kill, p).code, "ESRCH")
  end)
end

function T.test_a_detached_one_lives_on()
  local p = aio.run(function() return exec("sleep", "60", { detached = true }) end)
  aio.kill(p.pid, 0)
  aio.kill(p.pid, "SIGKILL")
  aio.run(wait_until, function() return state(p.pid) == nil end)
end

case("one_that_is_collected_goes_on_and_is_reaped", function()
  local pid = exec("sleep", "60").pid
  collectgarbage()
  collectgarbage()
  aio.kill(pid, "SIGTERM")
  wait_until(function() return state(pid) == nil end)
end)

function T.test_debug_mode_tells_of_one_that_is_collected()
  local messages = {}
  aio.run_with({ debug = true }, function()
    aio.get_running_loop().slow_callback_duration = 1e9 -- on a busy machine any step is slow
    aio.get_running_loop():set_exception_handler(function(_, ctx)
      table.insert(messages, ctx.kind .. ": " .. ctx.message)
    end)
    local pid = exec("sleep", "60").pid
    collectgarbage()
    collectgarbage()
    aio.kill(pid, "SIGKILL")
  end)
  lu.assertEquals(#messages, 1)
  lu.assertStrMatches(messages[1], "unclosed: process %d+ was collected while it ran.*"
    .. "test_process.lua:%d+")
end

function T.test_waiting_for_a_child_is_no_deadlock()
  aio.run(function() lu.assertEquals(exec("sleep", "0.02"):wait(), 0) end)
end

function T.test_children_of_several_loops()
  local loops, codes = {}, {}
  for i = 1, 3 do
    loops[i] = aio.new_event_loop()
    loops[i]:create_task(function()
      codes[i] = shell("exit " .. i):wait()
      loops[i]:stop()
    end)
    loops[i]:step()
  end
  for i = 3, 1, -1 do loops[i]:run_forever() end
  lu.assertEquals(codes, { 1, 2, 3 })
  for i = 1, 3 do loops[i]:close() end
end

function T.test_a_process_belongs_to_its_loop()
  lu.assertStrMatches(script [[
    local a, b = aio.new_event_loop(), aio.new_event_loop()
    local p = a:run_until_complete(function() return aio.create_subprocess_exec("sleep", 60) end)
    print(pcall(b.run_until_complete, b, function() return p:wait() end))
    a:close() b:close()
  ]], ".*Process .* another loop.*")
end

-- ---- input and output ----

case("merged_and_null", function()
  local both = "echo out; echo err >&2"
  lu.assertEquals({ shell(both, { stdout = PIPE, stderr = STDOUT }):communicate() },
    { "out\nerr\n" })
  lu.assertEquals({ shell(both, { stdout = PIPE, stderr = PIPE }):communicate() },
    { "out\n", "err\n" })
  lu.assertEquals({ shell(both, { stdout = DEVNULL, stderr = STDOUT }):communicate() }, {})
  lu.assertEquals(output(exec("cat", { stdin = DEVNULL, stdout = PIPE })), "")
  local _, err = shell("exec >&2; echo x", { stdout = DEVNULL, stderr = PIPE })
    :communicate()
  lu.assertEquals(err, "x\n")
end)

case("files_and_descriptors", function()
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write("first\n")
  shell("echo second; echo third >&2", { stdout = file, stderr = STDOUT }):wait()
  file:close()
  file = assert(io.open(path))
  lu.assertEquals(output(exec("cat", { stdin = file, stdout = PIPE })), "first\nsecond\nthird\n")
  lu.assertErrorMsgContains("closed one", function()
    file:close()
    exec("cat", { stdin = file })
  end)
  os.remove(path)
  local a, b = aio.socketpair()
  exec("echo", "hi", { stdout = b:fileno() }):wait()
  lu.assertEquals(a:recv(10), "hi\n")
  exec("echo", "ho", { stdout = b }):wait()
  lu.assertEquals(a:recv(10), "ho\n")
  a:close()
  b:close()
end)

case("no_descriptor_but_the_three", function()
  local srv <close> = aio.start_server(print, "127.0.0.1", 0)
  local conn <close> = aio.open_connection("127.0.0.1", srv.port)
  local other <close> = exec("sleep", "60", { stdin = PIPE, stdout = PIPE, stderr = PIPE })
  lu.assertEquals(output(shell(LIST, { stdin = PIPE, stdout = PIPE, stderr = DEVNULL })), INHERITED)
  lu.assertNotNil(conn and other)
end)

case("a_pipe_has_one_direction", function()
  local p <close> = exec("cat", { stdin = PIPE, stdout = PIPE })
  lu.assertEquals(raised(aio.OSError, p.stdin.read, p.stdin, 1).code, "EBADF")
  lu.assertEquals(raised(aio.OSError, p.stdout.write, p.stdout, "x").code, "EBADF")
end)

case("limit_of_a_line", function()
  local p = exec("printf", "%2000d\n", 1, { stdout = PIPE, limit = 100 })
  raised(aio.LimitOverrunError, p.stdout.readline, p.stdout)
  p:wait()
  p.stdout:close()
end)

case("the_pipes_can_be_opened_by_their_names", function() -- which sockets could not
  local p = shell("cat /dev/stdin > /dev/stdout", { stdin = PIPE, stdout = PIPE })
  lu.assertEquals(p:communicate "by name", "by name")
end)

case("streams_as_input_and_output", function()
  local done = aio.Event()
  local srv <close> = aio.start_server(function(conn)
    local p <close> = exec("tr", "a-z", "A-Z", { stdin = conn, stdout = conn })
    p:communicate()
    conn:write "bye"
    done:set()
  end, "127.0.0.1", 0)
  local conn <close> = aio.open_connection("127.0.0.1", srv.port)
  conn:write(("hello "):rep(1000))
  conn:write_eof()
  local out = conn:read "a"
  done:wait()
  lu.assertEquals(out, ("HELLO "):rep(1000) .. "bye")
end)

case("another_process_as_input", function()
  local a = shell("yes | head -n 300000", { stdout = PIPE })
  local b = exec("wc", "-l", { stdin = a.stdout, stdout = PIPE })
  lu.assertEquals(tonumber((output(b))), 300000)
  lu.assertEquals(a:wait(), 0)
end)

case("a_reader_that_ends_stops_the_writer", function()
  local a = exec("yes", { stdout = PIPE })
  local b = exec("head", "-n", "1", { stdin = a.stdout, stdout = PIPE })
  lu.assertEquals(output(b), "y\n")
  a.stdout:close()
  lu.assertEquals(a:wait(), -13)
end)

case("a_stream_is_not_read_for_a_process_that_has_ended", function()
  local ended = aio.Event()
  local srv <close> = aio.start_server(function(conn)
    exec("true", { stdin = conn }):wait()
    for _ = 1, 10 do aio.sleep(0) end
    ended:set()
    conn:write(conn:readline())
  end, "127.0.0.1", 0)
  local conn <close> = aio.open_connection("127.0.0.1", srv.port)
  ended:wait()
  conn:write "for the handler\n"
  lu.assertEquals(conn:readline(), "for the handler\n")
end)

-- A command line where a program is expected.
case("a_command_line_is_no_program", function()
  lu.assertErrorMsgContains("strings of their own", exec, "ls -l")
end)

-- ---- pipeline ----

case("pipeline_takes_one_list", function()
  lu.assertErrorMsgContains("#2 to 'pipeline' (table of options expected, got a list; all commands",
    aio.pipeline, { { "ls" } }, { "wc" })
end)

case("pipeline", function()
  local codes, out = aio.pipeline({ { "cat" }, { "sort", "-r" }, { "head", "-n", 2 } },
    { input = "b\na\nc\n", stdout = PIPE })
  lu.assertEquals({ codes, out }, { { 0, 0, 0, n = 3 }, "c\nb\n" })
end)

case("pipeline_gives_all_codes", function()
  local codes, out, err = aio.pipeline({
    { "sh", "-c", "echo one >&2; exit 1" },
    { "sh", "-c", "echo $V >&2; kill -9 $$", extra_env = { V = "two" } },
    { "sh", "-c", "cat; exit 3" },
  }, { stdin = DEVNULL, stderr = PIPE })
  lu.assertEquals(codes, { 1, -9, 3, n = 3 })
  lu.assertNil(out)
  lu.assertEquals(#err, 8)
end)

case("pipeline_of_one", function()
  local codes, out = aio.pipeline({ { "cat" } }, { input = "x", stdout = PIPE })
  lu.assertEquals({ codes, out }, { { 0, n = 1 }, "x" })
end)

case("pipeline_ends_when_the_last_has_enough", function()
  local codes, out = aio.pipeline({ { "yes" }, { "head", "-n", "1" } }, { stdout = PIPE })
  lu.assertEquals({ codes, out }, { { -13, 0, n = 2 }, "y\n" })
end)

case("pipeline_that_cannot_start_or_is_cancelled_leaves_nobody", function()
  local marker = "60.0" .. aio.getpid()
  local function running()
    return (output(shell("pgrep -xf 'sleep " .. marker .. "' | wc -l", { stdout = PIPE })))
  end
  local err = raised(aio.OSError, aio.pipeline, { { "sleep", marker }, { "/no/such" } })
  lu.assertEquals(err.filename, "/no/such")
  local task = aio.create_task(aio.pipeline, { { "sleep", marker }, { "sleep", marker } })
  aio.sleep(0)
  aio.sleep(0)
  lu.assertEquals(running(), "2\n")
  task:cancel()
  raised(aio.CancelledError, task.await, task)
  lu.assertEquals(running(), "0\n")
end)

-- ---- many ----

case("many_one_after_the_other", function()
  local last
  for _ = 1, MANY do
    local p = exec("true", { stdin = PIPE, stdout = PIPE })
    p:communicate()
    last = p.pid
  end
  lu.assertNil(state(last))
end)

case("many_at_once", function()
  local pids = {}
  local codes = aio.map(function(i)
    local p = shell("exit " .. i % 7, { stdout = PIPE, stderr = PIPE })
    pids[i] = p.pid
    p:communicate()
    return p.returncode
  end, (function()
    local list = {}
    for i = 1, AT_ONCE do list[i] = i end
    return list
  end)())
  for i, code in ipairs(codes) do lu.assertEquals(code, i % 7) end
  for _, pid in ipairs(pids) do lu.assertNil(state(pid)) end
end)

-- ---- what cannot be ----

case("wrong_arguments", function()
  local function refused(message, fn, ...) lu.assertErrorMsgContains(message, fn, ...) end
  refused("bad argument #1 to 'create_subprocess_exec' (program: string expected, got nil)", exec)
  refused("name or path of a program", exec, "")
  refused("got table; write table.unpack(list) for a list of words", exec, { "ls", "-l" })
  refused("bad argument #2 to 'create_subprocess_exec' (argument of the program: string expected",
    exec, "ls", true)
  refused("without a zero byte", exec, "ls", "a\0b")
  refused("unknown option 'std'", exec, "ls", { std = PIPE })
  refused("aio.STDOUT is for stderr only", exec, "ls", { stdout = STDOUT })
  refused("option 'stdin': aio.PIPE, aio.DEVNULL, a file", exec, "ls", { stdin = "file" })
  refused("option 'stdin': a descriptor", exec, "ls", { stdin = -7 })
  refused("option 'env': string for 'A' expected, got table", exec, "ls", { env = { A = {} } })
  refused("names without '='", exec, "ls", { env = { ["A=B"] = "" } })
  refused("option 'uid'", exec, "ls", { uid = -1 })
  refused("option 'limit'", exec, "ls", { limit = 0 })
  refused("command: string expected", shell)
  refused("no signal 'TERM'", function()
    local p <close> = exec("sleep", "60")
    p:send_signal "TERM"
  end)
  refused("start the process with stdin=aio.PIPE", function()
    local p <close> = exec("sleep", "60")
    p:communicate "x"
  end)
  refused("list of commands", aio.pipeline)
  refused("command 2: a list", aio.pipeline, { { "ls" }, "wc" })
  refused("command 1: word 2: string expected", aio.pipeline, { { "ls", {} } })
  refused("for the whole pipeline", aio.pipeline, { { "ls", stdin = PIPE } })
  refused("not both", aio.pipeline, { { "ls" } }, { input = "x", stdin = DEVNULL })
  refused("unknown option", aio.pipeline, { { "ls" } }, { detached = true })
end)

function T.test_outside_a_loop()
  local err = raised(aio.RuntimeError, exec, "true")
  lu.assertStrContains(err.message, "no running loop")
end

-- In a process of its own, which may have no more than so many descriptors.
function T.test_no_descriptor_left()
  lu.skipIf(env.valgrind, "valgrind needs descriptors of its own")
  lu.assertEquals(script([[
    aio.run(function()
      local held, err = {}, nil
      repeat
        local ok, e = pcall(aio.create_subprocess_exec, "sleep", "60", { stdin = -1, stdout = -1 })
        if ok then held[#held + 1] = e else err = e end
      until err
      print(err.code, #held > 0)
      for _, p in ipairs(held) do p:kill() p:communicate() end
      print(aio.create_subprocess_exec("true", { stdin = aio.PIPE }):wait())
    end)
  ]], "ulimit -n 24; "), "EMFILE\ttrue\n0\n")
end

return T
