-- SPDX-License-Identifier: MIT
-- Input and outputs of a child at once: communicate, and writing to one that does not read.

local lu = require "luaunit"
local aio = require "aio"
local raised = require("support.tasks").raised

local PIPE = aio.PIPE
local BIG = 4 * 1024 * 1024 -- more than pipes and streams hold
local exec, shell = aio.create_subprocess_exec, aio.create_subprocess_shell

local T = {}

-- A case that runs in a loop of its own.
local function case(name, fn)
  T["test_" .. name] = function() aio.run(fn) end
end

case("communicate_never_deadlocks", function()
  local data = ("x"):rep(BIG)
  lu.assertTrue(exec("cat", { stdin = PIPE, stdout = PIPE }):communicate(data) == data)
  local out, err = shell("head -c 1000000 /dev/zero >&2; cat; head -c 1000000 /dev/zero >&2",
    { stdin = PIPE, stdout = PIPE, stderr = PIPE }):communicate(data)
  lu.assertEquals({ #out, #err }, { BIG, 2000000 })
end)

case("communicate_without_pipes_waits", function()
  local p = shell "exit 6"
  lu.assertEquals({ p:communicate() }, {})
  lu.assertEquals(p.returncode, 6)
end)

case("input_that_nobody_wants", function()
  local p = exec("true", { stdin = PIPE })
  p:communicate(("x"):rep(BIG))
  lu.assertEquals(p.returncode, 0)
  p = exec("true", { stdin = PIPE })
  p:wait()
  p:communicate "late"
end)

case("a_write_to_one_that_does_not_read_raises", function()
  local p = shell("exec 0<&-; echo closed; exec sleep 60", { stdin = PIPE, stdout = PIPE })
  p.stdout:readline()
  local err = raised(aio.OSError, function()
    while true do p.stdin:write(("x"):rep(100000)) end
  end)
  lu.assertEquals(err.code, "EPIPE")
  p:kill()
  p:communicate()
end)

case("a_cancelled_communicate_loses_nothing", function()
  local p = shell("head -c 200000 /dev/zero; echo half >&2; cat; echo end >&2",
    { stdin = PIPE, stdout = PIPE, stderr = PIPE })
  for turns = 1, 20 do
    local task = aio.create_task(p.communicate, p)
    for _ = 1, turns do aio.sleep(0) end
    if task:done() then break end
    task:cancel()
    aio.catch(aio.CancelledError, task.await, task)
  end
  local out, err = p:communicate()
  lu.assertEquals({ #out, err }, { 200000, "half\nend\n" })
  lu.assertEquals({ p:communicate() }, { out, err })
end)

case("a_cancelled_communicate_has_given_all_its_input", function()
  local p = shell("cat", { stdin = PIPE, stdout = PIPE })
  local task = aio.create_task(p.communicate, p, ("x"):rep(BIG))
  for _ = 1, 3 do aio.sleep(0) end
  task:cancel()
  raised(aio.CancelledError, task.await, task)
  lu.assertEquals(#p:communicate(), BIG)
end)

case("communicate_again_with_another_input", function()
  for _, first in ipairs { "first", false } do
    local p = exec("cat", { stdin = PIPE, stdout = PIPE })
    local task = aio.create_task(p.communicate, p, first or nil)
    aio.sleep(0)
    task:cancel()
    raised(aio.CancelledError, task.await, task)
    local err = raised(aio.RuntimeError, function() p:communicate "second" end)
    lu.assertStrContains(err.message, "earlier communicate")
    lu.assertStrContains(err.where, "test_process_communicate.lua:")
    lu.assertEquals(p:communicate(first or nil), first or "")
    lu.assertEquals(p:communicate(first or nil), first or "")
  end
end)

return T
