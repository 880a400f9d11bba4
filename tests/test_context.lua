-- SPDX-License-Identifier: MIT
-- Context variables: values, tokens, copies, who runs in which context.

local aio = require "aio"
local lu = require "luaunit"

local T = {}

T.TestVar = {}

function T.TestVar.test_get_set()
  local var = aio.ContextVar("var")
  aio.run(function()
    var:set(1)
    lu.assertEquals(var:get(), 1)
    lu.assertEquals(var:get("default"), 1)
    var:set(false)
    lu.assertIs(var:get(true), false)
  end)
end

function T.TestVar.test_nil_is_a_value()
  local var = aio.ContextVar("var", { default = 5 })
  aio.run(function()
    lu.assertEquals(var:get(), 5)
    local token = var:set(nil)
    lu.assertNil(var:get())
    lu.assertNil(var:get("default"))
    local ctx = aio.copy_context()
    lu.assertNil(ctx:get(var))
    local seen = {}
    for v, value in pairs(ctx) do seen[v] = tostring(value) end
    lu.assertEquals(seen[var], "nil")
    var:reset(token)
    lu.assertEquals(var:get(), 5)
  end)
end

function T.TestVar.test_defaults()
  local plain = aio.ContextVar("plain")
  local with = aio.ContextVar("with", { default = "own" })
  aio.run(function()
    lu.assertEquals(plain:get("given"), "given")
    lu.assertNil(plain:get(nil))
    lu.assertEquals(with:get(), "own")
    lu.assertEquals(with:get("given"), "given")
    local ok, err = pcall(plain.get, plain)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.LookupError))
    lu.assertStrContains(err.message, "'plain'")
    lu.assertStrContains(tostring(plain), "plain")
  end)
end

function T.TestVar.test_arguments()
  local var = aio.ContextVar("var")
  local function fails(pattern, fn, ...)
    local ok, err = pcall(fn, ...)
    lu.assertFalse(ok)
    lu.assertStrMatches(tostring(err), pattern)
  end
  fails(".*test_context.lua:%d+: bad argument #1 to 'ContextVar'.*", function()
    aio.ContextVar(nil)
  end)
  fails(".*unknown option 'defalt' %(there is: default%).*", function()
    aio.ContextVar("x", { defalt = 1 })
  end)
  fails(".*bad argument #1 to 'reset'.*", function() var:reset(1) end)
  fails(".*bad argument #1 to 'get'.*", function() var.get({}) end)
  aio.run(function()
    local token = aio.ContextVar("other"):set(1)
    fails(".*bad argument #1 to 'reset'.*another.*", function() var:reset(token) end)
    fails(".*bad argument #1 to 'run'.*", function() aio.copy_context():run(1) end)
    fails(".*bad argument #1 to 'get'.*", function() aio.copy_context():get("var") end)
  end)
end

function T.TestVar.test_outside_of_tasks()
  local var = aio.ContextVar("var")
  local token = var:set("outside")
  lu.assertEquals(var:get(), "outside")
  lu.assertEquals(aio.run(var.get, var), "outside")
  aio.run(var.set, var, "inside")
  lu.assertEquals(var:get(), "outside")
  var:reset(token)
  lu.assertEquals(var:get("none"), "none")
end

T.TestToken = {}

function T.TestToken.test_reset_nested()
  local var = aio.ContextVar("var")
  aio.run(function()
    local a = var:set(1)
    local b = var:set(2)
    var:reset(b)
    lu.assertEquals(var:get(), 1)
    var:reset(a)
    lu.assertEquals(var:get("none"), "none")
  end)
end

function T.TestToken.test_used_twice_and_elsewhere()
  local var = aio.ContextVar("var")
  aio.run(function()
    local token = var:set(1)
    local ok, err = aio.create_task(function()
      return pcall(var.reset, var, token)
    end):await()
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.RuntimeError))
    lu.assertEquals(var:get(), 1)
    var:reset(token)
    ok, err = pcall(var.reset, var, token)
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, aio.RuntimeError))
    lu.assertStrContains(err.where, "test_context.lua")
  end)
end

function T.TestToken.test_close()
  local var = aio.ContextVar("var", { default = "before" })
  aio.run(function()
    do
      local _ <close> = var:set("inside")
      aio.sleep(0)
      lu.assertEquals(var:get(), "inside")
    end
    lu.assertEquals(var:get(), "before")
    pcall(function()
      local _ <close> = var:set("inside")
      error("x")
    end)
    lu.assertEquals(var:get(), "before")
    do
      local token <close> = var:set("inside")
      var:reset(token)
      var:set("later")
    end
    lu.assertEquals(var:get(), "later")
  end)
end

T.TestContext = {}

function T.TestContext.test_tasks_have_copies()
  local var = aio.ContextVar("var", { default = 0 })
  aio.run(function()
    var:set(1)
    local gate = aio.Future()
    local child = aio.create_task(function()
      local seen = var:get()
      var:set("child")
      gate:await()
      return seen, var:get()
    end)
    var:set(2) -- after the copy
    aio.sleep(0)
    gate:set_result()
    local before, after = child:await()
    lu.assertEquals(before, 1)
    lu.assertEquals(after, "child")
    lu.assertEquals(var:get(), 2)
  end)
end

function T.TestContext.test_run_may_wait()
  local var = aio.ContextVar("var", { default = "none" })
  aio.run(function()
    var:set("main")
    local ctx = aio.copy_context()
    local other = aio.create_task(function()
      for _ = 1, 4 do
        lu.assertEquals(var:get(), "main")
        aio.sleep(0)
      end
    end)
    local a, b, c = ctx:run(function(x, y)
      var:set("inner")
      aio.sleep(0)
      lu.assertEquals(var:get(), "inner")
      return x, nil, y
    end, 1, 3)
    lu.assertEquals({ a, b, c }, { 1, nil, 3 })
    lu.assertEquals(var:get(), "main")
    lu.assertEquals(ctx:get(var), "inner")
    other:await()
  end)
end

function T.TestContext.test_run_restores_after_error_and_cancel()
  local var = aio.ContextVar("var", { default = "none" })
  aio.run(function()
    var:set("main")
    local ctx = aio.copy_context()
    local object = {}
    local ok, err = pcall(ctx.run, ctx, function()
      var:set("failed")
      error(object)
    end)
    lu.assertFalse(ok)
    lu.assertIs(err, object)
    lu.assertEquals(var:get(), "main")
    local seen
    local t = aio.create_task(function()
      local _ <close> = aio.defer(function() seen = var:get() end)
      ctx:run(aio.sleep, 10)
    end)
    aio.sleep(0)
    t:cancel()
    lu.assertFalse((pcall(t.await, t)))
    lu.assertEquals(seen, "main")
  end)
end

function T.TestContext.test_run_in_run_and_in_callback()
  local var = aio.ContextVar("var", { default = "none" })
  local results = {}
  aio.run(function()
    local loop = aio.get_running_loop()
    local a, b = aio.copy_context(), aio.copy_context()
    a:run(function()
      var:set("a")
      b:run(var.set, var, "b")
      results[#results + 1] = var:get()
      a:run(var.set, var, "a2")
      results[#results + 1] = var:get()
    end)
    loop:call_soon(function()
      results[#results + 1] = a:run(var.get, var)
      results[#results + 1] = var:get()
    end)
    aio.sleep(0)
    results[#results + 1] = b:get(var)
  end)
  lu.assertEquals(results, { "a", "a2", "a2", "none", "b" })
end

function T.TestContext.test_copy_is_independent()
  local x, y = aio.ContextVar("x"), aio.ContextVar("y")
  aio.run(function()
    x:set(1)
    local first = aio.copy_context()
    y:set(2)
    local second = aio.copy_context()
    x:set(3)
    lu.assertEquals({ first:get(x), first:get(y) }, { 1 })
    lu.assertEquals({ second:get(x), second:get(y) }, { 1, 2 })
    lu.assertEquals({ x:get(), y:get() }, { 3, 2 })
    second:run(x.set, x, "second")
    lu.assertEquals(first:get(x), 1)
    lu.assertEquals(x:get(), 3)
  end)
end

function T.TestContext.test_get_context()
  local var = aio.ContextVar("var")
  aio.run(function()
    var:set("main")
    local t = aio.create_task(function()
      var:set("task")
      aio.sleep(0)
    end)
    lu.assertEquals(t:get_context():get(var), "main")
    t:await()
    lu.assertEquals(t:get_context():get(var), "task")
    local handle = aio.get_running_loop():call_soon(function() var:set("callback") end)
    local ctx = handle:get_context()
    aio.sleep(0)
    lu.assertEquals(ctx:get(var), "callback")
  end)
end

function T.TestContext.test_empty_context_has_one_identity()
  aio.run(function()
    local t = aio.create_task(aio.sleep, 0)
    lu.assertIs(t:get_context(), t:get_context())
    t:await()
  end)
end

function T.TestContext.test_aio_coroutine_shares_the_context()
  local var = aio.ContextVar("var")
  aio.run(function()
    var:set(1)
    aio.coroutine.wrap(function()
      lu.assertEquals(var:get(), 1)
      var:set(2)
      aio.sleep(0)
    end)()
    lu.assertEquals(var:get(), 2)
  end)
end

return T
