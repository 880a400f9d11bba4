-- SPDX-License-Identifier: MIT
-- Subprocesses for protocols: what they are told, and in which order.

local lu = require "luaunit"
local aio = require "aio"
local raised = require("support.tasks").raised

local T = {}

local function case(name, fn)
  T["test_" .. name] = function() aio.run(fn, aio.get_event_loop) end
end

-- A protocol that notes everything; `ended` is set at connection_lost.
local function recorder()
  local self = { log = {}, out = { "", "" }, ended = aio.Event() }
  function self.connection_made(_, t)
    self.transport = t
    table.insert(self.log, "made")
  end
  function self.pipe_data_received(_, fd, data) self.out[fd] = self.out[fd] .. data end
  function self.pipe_connection_lost(_, fd) table.insert(self.log, "lost " .. fd) end
  function self.process_exited() table.insert(self.log, "exited") end
  function self.connection_lost()
    table.insert(self.log, "end")
    self.ended:set()
  end
  return self
end

case("input_and_both_outputs", function(get_loop)
  local t, p = get_loop():subprocess_shell(recorder, "cat; echo bad >&2; exit 5")
  lu.assertEquals({ p.log[1], p.transport == t }, { "made", true })
  aio.kill(t:get_pid(), 0)
  lu.assertNil(t:get_returncode())
  lu.assertNil(t:get_pipe_transport(3))
  local input = t:get_pipe_transport(0)
  input:write(("x"):rep(300000))
  input:write_eof()
  p.ended:wait()
  lu.assertEquals({ #p.out[1], p.out[2], t:get_returncode() }, { 300000, "bad\n", 5 })
  lu.assertEquals(p.log[#p.log], "end")
  table.sort(p.log)
  lu.assertEquals(p.log, { "end", "exited", "lost 0", "lost 1", "lost 2", "made" })
  lu.assertTrue(t:is_closing())
  lu.assertEquals(raised(aio.OSError, t.kill, t).code, "ESRCH")
  t:close()
end)

case("signals_and_close", function(get_loop)
  for method, code in pairs { terminate = -15, kill = -9, close = -9 } do
    local t, p = get_loop():subprocess_exec(recorder, "sleep", "60", { stderr = aio.STDOUT })
    lu.assertFalse(t:is_closing())
    t[method](t)
    p.ended:wait()
    lu.assertEquals(t:get_returncode(), code)
  end
  local t, p = get_loop():subprocess_exec(recorder, "sleep", "60")
  t:send_signal "SIGHUP"
  p.ended:wait()
  lu.assertEquals(t:get_returncode(), -1)
  lu.assertEquals(t:get_extra_info "subprocess".returncode, -1)
  lu.assertEquals(t:get_extra_info("peername", 7), 7)
end)

case("another_protocol_takes_over", function(get_loop)
  local t, p = get_loop():subprocess_exec(recorder, "cat")
  local other = recorder()
  t:set_protocol(other)
  lu.assertEquals(t:get_protocol(), other)
  t:get_pipe_transport(0):close()
  other.ended:wait()
  lu.assertEquals(p.log, { "made" })
end)

-- Each callback fails: that is told, and the others are called all the same, up to the end.
case("errors_of_callbacks_are_only_told", function(get_loop)
  local loop = get_loop()
  for _, name in ipairs { "connection_made", "pipe_data_received", "pipe_connection_lost",
    "process_exited", "connection_lost" } do
    local p, told = recorder(), {}
    loop:set_exception_handler(function(_, ctx)
      table.insert(told, { ctx.kind, ctx.exception })
    end)
    local fn = p[name]
    p[name] = function(...)
      fn(...)
      error("oops", 0)
    end
    loop:subprocess_shell(function() return p end, "echo out", { stdin = aio.DEVNULL,
      stderr = aio.DEVNULL })
    p.ended:wait()
    aio.sleep(0)
    lu.assertEquals(told, { { "callback_error", "oops" } })
    table.sort(p.log)
    lu.assertEquals(p.log, { "end", "exited", "lost 1", "made" })
    lu.assertEquals(p.out[1], "out\n")
  end
  loop:set_exception_handler(nil)
end)

case("what_cannot_be", function(get_loop)
  local loop = get_loop()
  lu.assertErrorMsgContains("function that returns a protocol", loop.subprocess_exec, loop, {})
  lu.assertErrorMsgContains("bad argument #2 to 'subprocess_exec' (program: string expected",
    loop.subprocess_exec, loop, recorder)
  lu.assertErrorMsgContains("bad argument #2 to 'subprocess_shell' (command: string expected",
    loop.subprocess_shell, loop, recorder)
  lu.assertErrorMsgContains("unknown option", loop.subprocess_shell, loop, recorder, "", { x = 1 })
  local err = raised(aio.OSError, loop.subprocess_exec, loop, recorder, "/no/such")
  lu.assertEquals(err.code, "ENOENT")
end)

return T
