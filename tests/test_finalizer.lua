-- SPDX-License-Identifier: MIT
-- Finalizers that use aio while aio makes its own objects: they may complete the very future, or
-- close the very loop, that the call around them works on.

local lu = require "luaunit"
local env = require "support.env"
local aio = require "aio"

local T = {}

local ROUNDS = env.valgrind and 200 or 2000 -- valgrind is slow

-- Calls the first function that make() returns, while a finalizer may call the second at any of its
-- allocations: garbage of changing size is left before, and the collector runs often.
local function with_finalizers(make)
  collectgarbage("generational", 1, 20)
  for i = 1, ROUNDS do
    local act, use = make()
    local inside = false
    setmetatable({}, { __gc = function()
      if inside then use() end
    end })
    local _ = ("x"):rep(i % 97)
    inside = true
    act()
    inside = false
  end
  collectgarbage "incremental"
end

local function outcome(f)
  local ok, value = pcall(f.result, f)
  return ok, ok and value or nil
end

function T.test_a_callback_added_while_a_future_is_completed_is_called()
  local acts = {
    function(f) f:set_result(1, 2, 3) end,
    function(f) f:set_exception("x") end,
    function(f) f:cancel("message") end,
  }
  local added, called = 0, 0
  for _, act in ipairs(acts) do
    aio.run(function()
      local function late() called = called + 1 end
      with_finalizers(function()
        local f = aio.Future()
        f:add_done_callback(outcome)
        return function() act(f) end, function()
          added = added + 1
          f:add_done_callback(late)
        end
      end)
      for _ = 1, 3 do aio.sleep(0) end
    end)
  end
  lu.assertEquals(called, added) -- when the collector ran there: it does in most runs
end

function T.test_a_future_is_completed_once()
  aio.run(function()
    local wrong = 0
    with_finalizers(function()
      local f, first = aio.Future(), nil
      return function()
        local ok = pcall(f.set_result, f, 1, 2, 3)
        local expected = first or 1
        if ok == (first ~= nil) or select(2, outcome(f)) ~= expected then wrong = wrong + 1 end
      end, function()
        if not f:done() then
          first = "finalizer"
          f:set_result(first)
        end
      end
    end)
    lu.assertEquals(wrong, 0)
  end)
end

function T.test_a_callback_is_not_lost_when_the_future_is_completed_meanwhile()
  aio.run(function()
    local called = 0
    local function count() called = called + 1 end
    with_finalizers(function()
      local f = aio.Future()
      return function()
        f:add_done_callback(count)
        if not f:done() then f:set_result() end
      end, function() f:set_result() end
    end)
    for _ = 1, 3 do aio.sleep(0) end
    lu.assertEquals(called, ROUNDS)
  end)
end

function T.test_a_loop_closed_meanwhile_takes_nothing()
  local acts = {
    function(loop) loop:create_task(print, 1, 2, 3) end,
    function(loop) loop:call_soon(print, 1, 2, 3) end,
    function(loop) loop:call_later(1, print, 1, 2, 3) end,
    function(loop) loop:create_future():add_done_callback(print) end,
  }
  for _, act in ipairs(acts) do
    local wrong
    with_finalizers(function()
      local loop = aio.new_event_loop()
      loop:set_exception_handler(function() end)
      return function()
        local ok, err = pcall(act, loop)
        if not ok and not tostring(err):find("closed", 1, true) then wrong = err end
        loop:close()
      end, function() loop:close() end
    end)
    lu.assertNil(wrong)
  end
end

function T.test_a_finalizer_older_than_aio_at_the_end_of_the_state()
  local file = os.tmpname()
  local out = assert(io.open(file, "w"))
  out:write [[
    OLD = setmetatable({}, { __gc = function()
      local aio = require "aio"
      print(pcall(aio.new_event_loop))
      print((pcall(aio.run, print)))
    end })
    local aio = require "aio"
    aio.run(aio.sleep, 0)
  ]]
  out:close()
  local pipe = assert(io.popen(env.command(env.quote(file)) .. " 2>&1"))
  local text = pipe:read "a"
  lu.assertTrue((pipe:close()))
  os.remove(file)
  lu.assertStrContains(text, "this Lua state is being closed")
  lu.assertStrContains(text, "\nfalse\n")
end

return T
