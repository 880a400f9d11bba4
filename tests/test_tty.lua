-- SPDX-License-Identifier: MIT
-- Terminals, over real pseudo terminals.

local lu = require "luaunit"
local aio = require "aio"
local env = require "support.env"
local raised = require("support.tasks").raised

local host = env.host
local UV = env.option "AIO_STREAM_UV" == "ON"

local NORMAL, CBREAK, RAW = "icanon echo isig", "isig", ""

local T = {}

-- The exit code of a program that closes nothing: valgrind takes what is left for lost.
local function unclosed(code)
  return env.valgrind and 99 or code
end

-- In a bare folder that was entered with chroot there are none.
local function need_terminals()
  lu.skipIf(not host or UV, "needs the test interpreter and terminals of our own")
  local ok, master, slave = pcall(host.pty)
  lu.skipIf(not ok, "no pseudo terminals here (is /dev/pts mounted?)")
  host.close(master)
  host.close(slave)
end

-- A case: fn(master stream, slave descriptor) with a pseudo terminal.
local function with_pty(fn)
  return function()
    need_terminals()
    aio.run(function()
      local master, slave = host.pty(100, 30)
      local user <close> = aio.connect_pipe(master)
      fn(user, slave)
      if host.is_open(slave) then host.close(slave) end
    end)
  end
end

-- What stream shows until `pattern` is in it.
local function expect(user, pattern)
  local seen = ""
  while not seen:find(pattern) do
    local part = user:read(4096)
    if not part then error(("%q did not come, but %q"):format(pattern, seen)) end
    seen = seen .. part
  end
  return seen
end

-- Starts a program on the terminal; its pid.
local function start(slave, code, name)
  local path = name
  if code then
    path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    file:write("local aio = require 'aio'\n", code)
  end
  return host.spawn("exec env " .. env.command(path), { [0] = slave, slave, slave }), path
end

-- ---- in this process ----

T.test_a_terminal = with_pty(function(user, slave)
  local tty <close> = aio.connect_pipe(slave)
  lu.assertTrue(tty:isatty())
  lu.assertTrue(user:isatty())
  lu.assertStrContains(tostring(tty), "tty")
  user:write("typed\n")
  lu.assertEquals(tty:read("l"), "typed")
  tty:write("shown\n")
  lu.assertEquals(expect(user, "shown\r\n"), "typed\r\nshown\r\n")
  lu.assertFalse(tty:can_write_eof())
end)

T.test_window_size = with_pty(function(user, slave)
  local tty <close> = aio.connect_pipe(slave)
  local columns, rows = tty:get_window_size()
  lu.assertEquals({ columns, rows }, { 100, 30 })
  host.resize(slave, 132, 43)
  columns, rows = tty:get_window_size()
  lu.assertEquals({ columns, rows }, { 132, 43 })
  columns = user:get_window_size()
  lu.assertEquals(columns, 132)
end)

T.test_modes = with_pty(function(user, slave)
  local look = host.dup(slave)
  local tty = aio.connect_pipe(slave)
  lu.assertEquals(host.tty_mode(look), NORMAL)
  tty:set_mode "raw"
  lu.assertEquals(host.tty_mode(look), RAW)
  user:write("a\3\r")
  lu.assertEquals(tty:readexactly(3), "a\3\r")
  tty:set_mode "cbreak"
  lu.assertEquals(host.tty_mode(look), CBREAK)
  user:write("b\r")
  lu.assertEquals(tty:readexactly(2), "b\n")
  tty:write("x\n")
  lu.assertEquals(expect(user, "\n"), "x\r\n") -- output is translated, nothing was echoed
  tty:set_mode "normal"
  lu.assertEquals(host.tty_mode(look), NORMAL)
  tty:set_mode "raw"
  tty:close()
  lu.assertEquals(host.tty_mode(look), NORMAL)
  host.close(look)
end)

-- The second finds a mode that the first has made, which is not what has to be put back.
T.test_two_streams_of_one_terminal = with_pty(function(_, slave)
  local keeps = { fileno = function() return slave end }
  for _, order in ipairs { { 1, 2 }, { 2, 1 } } do
    local streams = { aio.connect_pipe(keeps), aio.connect_pipe(keeps) }
    streams[1]:set_mode "raw"
    streams[2]:set_mode "cbreak"
    for _, i in ipairs(order) do streams[i]:close() end
    lu.assertEquals(host.tty_mode(slave), NORMAL)
  end
end)

T.test_two_streams_when_the_process_ends = with_pty(function(user, slave)
  local pid, path = start(slave, [[
    aio.run(function()
      aio.stdin():set_mode "raw"
      aio.stdout():set_mode "cbreak"
      print "ready"
      os.exit(0)
    end)
  ]])
  expect(user, "ready")
  lu.assertEquals({ host.wait(pid) }, { "exit", unclosed(0) })
  lu.assertEquals(host.tty_mode(slave), NORMAL)
  os.remove(path)
end)

function T.test_closing_the_loop_puts_it_back()
  need_terminals()
  local master, slave = host.pty()
  local look = host.dup(slave)
  aio.run(function()
    aio.connect_pipe(slave):set_mode "raw"
    lu.assertEquals(host.tty_mode(look), RAW)
  end)
  lu.assertEquals(host.tty_mode(look), NORMAL)
  host.close(look)
  host.close(master)
end

T.test_misuse = with_pty(function(_, slave)
  local tty = aio.connect_pipe(slave)
  local ok, err = pcall(tty.set_mode, tty, "cooked")
  lu.assertFalse(ok)
  lu.assertStrContains(err, "invalid option 'cooked'")
  lu.assertFalse((pcall(tty.set_mode, tty)))
  tty:close()
  raised(aio.RuntimeError, tty.set_mode, tty, "raw")
  raised(aio.RuntimeError, tty.get_window_size, tty)
  lu.assertFalse(tty:isatty())
end)

T.test_the_master_reads_the_end = with_pty(function(user, slave)
  host.write(slave, "last")
  host.close(slave)
  lu.assertEquals(user:read("a"), "last")
  lu.assertNil(user:read(1))
end)

T.test_the_terminal_goes_away = function()
  need_terminals()
  aio.run(function()
    local master, slave = host.pty()
    local tty <close> = aio.connect_pipe(slave)
    local reader = aio.create_task(tty.read, tty, 1)
    aio.sleep(0)
    host.close(master)
    lu.assertNil((reader:await()))
    lu.assertEquals(raised(aio.OSError, tty.write, tty, "x").code, "EPIPE")
  end)
end

-- ---- a program on the terminal ----

T.test_nobody_else_becomes_non_blocking = with_pty(function(user, slave)
  local pid, path = start(slave, [[
    aio.run(function()
      local input, output = aio.stdin(), aio.stdout()
      output:write("ready\n")
      input:read("l")
      print(require "testhost".nonblocking(0), require "testhost".nonblocking(1))
    end)
    print("then " .. io.read("l"))
  ]])
  expect(user, "ready")
  lu.assertFalse(host.nonblocking(slave))
  user:write("go\n")
  expect(user, "false\tfalse")
  user:write("plain\n")
  expect(user, "then plain")
  lu.assertEquals({ host.wait(pid) }, { "exit", 0 })
  os.remove(path)
end)

T.test_much_output_and_print = with_pty(function(user, slave)
  local pid, path = start(slave, [[
    aio.run(function()
      local out = aio.stdout()
      for i = 1, 300 do
        out:write("line ", i, (" x"):rep(200), "\n")
        print("printed " .. i)
      end
      print "over"
    end)
  ]])
  local seen = expect(user, "over\r\n"):gsub(" x", "")
  local expected = {}
  for i = 1, 300 do expected[i] = ("line %d\r\nprinted %d\r\n"):format(i, i) end
  lu.assertEquals(#seen, #table.concat(expected) + #"over\r\n")
  lu.assertEquals(seen, table.concat(expected) .. "over\r\n")
  lu.assertEquals({ host.wait(pid) }, { "exit", 0 })
  os.remove(path)
end)

-- However the program ends, but for a signal that kills it.
local endings = {
  { "the end", "input:read(1)", { "exit", 0 } },
  { "an error", "input:read(1) error 'on purpose'", { "exit", 1 } },
  { "os.exit", "input:read(1) os.exit(3)", { "exit", unclosed(3) } },
  { "os.exit, closing", "input:read(1) os.exit(3, true)", { "exit", 3 } },
}
for _, ending in ipairs(endings) do
  T["test_put_back_after_" .. ending[1]:gsub("%A+", "_")] = with_pty(function(user, slave)
    local pid, path = start(slave, ([[
      aio.run(function()
        local input = aio.stdin()
        input:set_mode "raw"
        aio.stdout():write("ready\n")
        %s
      end)
    ]]):format(ending[2]))
    expect(user, "ready")
    lu.assertEquals(host.tty_mode(slave), RAW)
    user:write("x")
    lu.assertEquals({ host.wait(pid) }, ending[3])
    lu.assertEquals(host.tty_mode(slave), NORMAL)
    os.remove(path)
  end)
end

T.test_put_back_after_ctrl_c = with_pty(function(user, slave)
  local pid, path = start(slave, [[
    aio.main(function()
      aio.stdin():set_mode "cbreak"
      aio.stdout():write("ready\n")
      aio.sleep(60)
    end)
  ]])
  expect(user, "ready")
  lu.assertEquals(host.tty_mode(slave), CBREAK)
  user:write("\3")
  lu.assertEquals({ host.wait(pid) }, { "exit", 130 })
  lu.assertEquals(host.tty_mode(slave), NORMAL)
  os.remove(path)
end)

T.test_the_prompt_of_the_examples = with_pty(function(user, slave)
  local pid = start(slave, nil, env.quote(env.root .. "/examples/tty_prompt.lua") .. " 0.05")
  expect(user, "> ")
  lu.assertEquals(host.tty_mode(slave), RAW)
  user:write("helo")
  expect(user, "tick 2") -- goes on while somebody types
  user:write("\27[Dl\27[C!\127\r")
  expect(user, "you said: HELLO")
  user:write("gone\21\4")
  expect(user, "bye")
  lu.assertEquals({ host.wait(pid) }, { "exit", 0 })
  lu.assertEquals(host.tty_mode(slave), NORMAL)
end)

function T.test_the_prompt_without_a_terminal()
  local pipe <close> = assert(io.popen("echo hello | " .. env.command(
    env.quote(env.root .. "/examples/tty_prompt.lua"))))
  lu.assertEquals(pipe:read("a"), "you said: HELLO\n")
end

return T
