-- SPDX-License-Identifier: MIT
-- What crosses from one Lua state to another, and what is said of the rest. core._copy takes the
-- way there and back within one state; test_executor takes it for real.

local aio = require "aio"
local core = require "aio.core"
local lu = require "luaunit"

local T = {}

local copy = core._copy

local function refused(pattern, ...)
  local ok, err = pcall(copy, ...)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(err), pattern)
end

function T.test_plain_values_keep_type_and_value()
  local values = table.pack(nil, true, false, 0, -1, 1, math.maxinteger, math.mininteger, 0.5, -0.0,
    1 / 0, 2 ^ 53, "", "text", "with\0zero", ("long "):rep(10000), nil)
  local copies = table.pack(copy(table.unpack(values, 1, values.n)))
  lu.assertEquals(copies.n, values.n)
  for i = 1, values.n do
    lu.assertIs(copies[i], values[i])
    lu.assertEquals(math.type(copies[i]), math.type(values[i]))
  end
  lu.assertEquals(tostring(copies[10]), "-0.0")
  local nan = copy(0 / 0)
  lu.assertTrue(nan ~= nan)
  lu.assertEquals(select("#", copy()), 0)
end

function T.test_tables_are_copied_with_all_kinds_of_keys()
  local t = { 1, "two", { 3 }, a = { b = { c = true } }, [0.5] = "half", [true] = "yes", [-3] = 4 }
  local u = copy(t)
  lu.assertEquals(u, t)
  lu.assertNotIs(u, t)
  u.a.b.c = false
  lu.assertTrue(t.a.b.c)
  lu.assertEquals(copy {}, {})
  lu.assertEquals(copy { nil, 2, nil, 4 }, { nil, 2, nil, 4 })
  local key = { "key" }
  local v, k = copy({ [key] = 1 }, key)
  lu.assertEquals(v[k], 1)
end

function T.test_shared_and_cyclic_tables_keep_their_shape()
  local shared = {}
  local t = { shared, shared, { inner = shared } }
  t.self, shared.up = t, t
  local u, s = copy(t, shared)
  lu.assertIs(u[1], u[2])
  lu.assertIs(u[3].inner, u[1])
  lu.assertIs(u.self, u)
  lu.assertIs(u[1].up, u)
  lu.assertIs(s, u[1])
end

function T.test_a_chain_of_any_length()
  local list
  for i = 1, 200000 do list = { next = list, i = i } end
  local n, node = 0, copy(list)
  while node do n, node = n + 1, node.next end
  lu.assertEquals(n, 200000)
end

function T.test_functions_bring_their_upvalues()
  local n, list = 10, { 5 }
  local function add(k) n = n + k return n + list[1] end
  local function get() return n, list end
  local add2, get2, list2 = copy(add, get, list)
  lu.assertEquals(add2(1), 16)
  lu.assertEquals(get2(), 11) -- the two still share n
  lu.assertIs(select(2, get2()), list2)
  lu.assertEquals(n, 10) -- and ours is another one
  local function fib(k) if k < 2 then return k end return fib(k - 1) + fib(k - 2) end
  lu.assertEquals(copy(fib)(15), 610)
  local even
  local function odd(k) if k == 0 then return false end return even(k - 1) end
  function even(k) if k == 0 then return true end return odd(k - 1) end
  lu.assertTrue(copy(even)(10))
  lu.assertIs(copy(function() return print, _G end)(), print)
  lu.assertIs(select(2, copy(function() return print, _ENV end)()), _G)
end

function T.test_what_becomes_a_module_later_crosses_by_name()
  local loaded = package.loaded
  local function check()
    local function fn() end
    local module = { fn = fn }
    lu.assertNotIs(copy(fn), fn)
    lu.assertNotIs(copy(module), module)
    loaded["test.other"], loaded["test.later"] = nil, module -- as many as before
    lu.assertIs(copy(fn), fn)
    lu.assertIs(copy(module), module)
    loaded["test.later"], loaded["test.other"] = nil, {}
    lu.assertNotIs(copy(fn), fn)
    lu.assertNotIs(copy(module), module)
  end
  loaded["test.other"] = {}
  check()
  local metatable = getmetatable(loaded)
  setmetatable(loaded, { __index = function() end }) -- of somebody else, so that nobody tells
  loaded["test.other"] = nil
  local module = { fn = function() end }
  lu.assertNotIs(copy(module.fn), module.fn)
  loaded["test.later"] = module
  lu.assertIs(copy(module), module)
  lu.assertIs(copy(module.fn), module.fn)
  loaded["test.later"] = nil
  setmetatable(loaded, nil)
  lu.assertNotIs(copy(module), module)
  check()
  loaded["test.other"] = nil
  setmetatable(loaded, metatable)
end

function T.test_what_a_module_holds_crosses_by_name()
  package.loaded["test.copied"] = { run = function() return 1 end, other = string.rep }
  local module = package.loaded["test.copied"]
  lu.assertIs(copy(module), module)
  lu.assertIs(copy(module.run), module.run)
  lu.assertIs(copy(string.format), string.format)
  lu.assertIs(copy(_G), _G)
  lu.assertIs(copy(aio.sleep), aio.sleep)
  lu.assertIs(copy(aio), aio)
  local run = module.run
  module.run = nil -- it is not found there any more: its code crosses
  lu.assertNotIs(copy(run), run)
  lu.assertEquals(copy(run)(), 1)
  package.loaded["test.copied"] = nil
  lu.assertNotIs(copy(module), module)
  lu.assertIs(copy(module).other, string.rep)
end

function T.test_error_objects_keep_class_and_fields()
  local errors = { aio.TimeoutError "late" }
  local err = aio.OSError("refused", { code = "ECONNREFUSED", errors = errors })
  err.traceback = "somewhere"
  local got = copy(err)
  lu.assertNotIs(got, err)
  lu.assertTrue(aio.is(got, aio.OSError))
  lu.assertEquals(got.code, "ECONNREFUSED")
  lu.assertEquals(got.traceback, "somewhere")
  lu.assertTrue(aio.is(got.errors[1], aio.TimeoutError))
  local Mine = aio.RuntimeError:extend "Mine"
  local Deeper = Mine:extend "Deeper"
  got = copy(Deeper("x", { n = 1 }))
  lu.assertTrue(aio.is(got, Deeper))
  lu.assertTrue(aio.is(got, aio.RuntimeError))
  lu.assertEquals(tostring(got), "Deeper: x")
  lu.assertIs(copy(Mine), Mine)
  lu.assertIs(copy(aio.Error), aio.Error)
  lu.assertIs(copy(function() return Mine end)(), Mine)
end

function T.test_context_variables_stay_the_same()
  local var = aio.ContextVar("v", { default = { 1 } })
  local got, again = copy(var, { var })
  lu.assertIs(got, var)
  lu.assertIs(again[1], var)
end

function T.test_channels_and_loops()
  local channel = aio.Channel(2)
  lu.assertIs(copy(channel), channel)
  local inside = copy { channel, channel }
  lu.assertIs(inside[1], channel)
  local loop = aio.new_event_loop()
  local a, b = copy(loop, { loop })
  lu.assertEquals(a, b[1])
  lu.assertStrContains(tostring(a), "loop of another thread")
  local ok, err = pcall(function() a:call_soon(print) end)
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(err), "run_coroutine_threadsafe")
  loop:close()
  refused("closed", loop)
end

function T.test_a_channel_through_itself()
  local channel = aio.Channel(2)
  channel:send_nowait { channel }
  lu.assertIs(channel:recv_nowait()[1], channel)
end

function T.test_the_message_names_the_path()
  local file, co = io.stdout, coroutine.create(print)
  local point = setmetatable({}, {})
  refused("argument 1: a userdata (FILE*) cannot cross", file)
  refused("argument 2.field[3]: a userdata", 1, { field = { 1, 2, file } })
  refused('argument 1["two words"].x: a coroutine', { ["two words"] = { x = co } })
  refused("argument 1: a table with a metatable", point)
  refused("argument 1 (upvalue 'file'): a userdata", function() return file end)
  refused("argument 1.f (upvalue 'held').x: a coroutine", {
    f = (function()
      local held = { x = co }
      return function() return held.x end
    end)(),
  })
  refused("argument 1 (a key): a userdata", { [file] = 1 })
  refused("argument 1: a C function that is not a field", string.gmatch("", ""))
  refused("argument 1.list[2][1]: a coroutine", { list = { {}, { co } } })
  refused("test_copy.lua:", file)
  local task
  aio.run(function()
    task = aio.create_task(aio.sleep, 0)
    refused("argument 1: a userdata (Task)", task)
  end)
end

function T.test_a_refused_value_changes_nothing()
  local channel = aio.Channel(1)
  refused("[2]", { channel, io.stdout })
  channel:send_nowait(1)
  lu.assertEquals(channel:recv_nowait(), 1)
end

function T.test_random_trees_come_back_equal()
  local seed = os.time()
  math.randomseed(seed)
  local function tree(depth, seen)
    local r = math.random(10)
    if depth == 0 or r <= 4 then
      return ({ math.random(0), math.random(), ("s"):rep(math.random(0, 4000)), r > 2 })[r]
    end
    if r == 5 and #seen > 0 then return seen[math.random(#seen)] end
    local t = {}
    seen[#seen + 1] = t
    for i = 1, math.random(0, 6) do t[i] = tree(depth - 1, seen) end
    for _ = 1, math.random(0, 6) do t["k" .. math.random(100)] = tree(depth - 1, seen) end
    return t
  end
  local function same(a, b, known)
    if type(a) ~= "table" then return a == b end
    if known[a] then return known[a] == b end
    known[a] = b
    for k, v in pairs(a) do if not same(v, b[k], known) then return false end end
    for k in pairs(b) do if a[k] == nil then return false end end
    return true
  end
  for _ = 1, 200 do
    local t = tree(5, {})
    lu.assertTrue(same(t, copy(t), {}), "seed " .. seed)
  end
end

return T
