-- SPDX-License-Identifier: MIT
-- aio.json: what is JSON and what is not, both ways; where errors are; nothing is lost.

local aio = require "aio"
local env = require "support.env"
local lu = require "luaunit"
local optional = require "aio.optional"
local json = require "aio.json"

local T = { TestEncode = {}, TestDecode = {}, TestBoth = {} }
if not optional.has "jansson" then
  function T.test_json() lu.skip("this build has no library for JSON") end
  T.TestEncode, T.TestDecode, T.TestBoth = nil, nil, nil
  return T
end

local encode, decode, null, array = json.encode, json.decode, json.null, json.array

-- ---- encoding ----

local ENCODED = {
  { true, "true" }, { false, "false" }, { null, "null" }, { 0, "0" }, { -1, "-1" },
  { math.maxinteger, "9223372036854775807" }, { math.mininteger, "-9223372036854775808" },
  { 1.0, "1.0" }, { -0.0, "-0.0" }, { 0.1, "0.1" }, { 1 / 3, "0.3333333333333333" },
  { 5e-324, "5e-324" }, { 1e15, "1e+15" }, { 123456789012.0, "123456789012.0" },
  { 2^53, "9007199254740992.0" }, { 1e100, "1e+100" }, { 0.1 + 0.2, "0.30000000000000004" },
  { "", '""' }, { "a\"b\\c/d", '"a\\"b\\\\c/d"' },
  { "\b\f\n\r\t\0\31\127", '"\\b\\f\\n\\r\\t\\u0000\\u001f\127"' },
  { "\u{20ac}\u{10ffff}\u{7ff}\u{800}\u{d7ff}\u{e000}",
  '"\u{20ac}\u{10ffff}\u{7ff}\u{800}\u{d7ff}\u{e000}"' },
  { {}, "{}" }, { { 1, "a", true, null, {} }, '[1,"a",true,null,{}]' },
  { { a = { b = { 1 } } }, '{"a":{"b":[1]}}' },
  { { [""] = 1 }, '{"":1}' }, { { ["a\nb"] = 1 }, '{"a\\nb":1}' },
}

function T.TestEncode.test_values()
  for _, case in ipairs(ENCODED) do lu.assertEquals(encode(case[1]), case[2]) end
  lu.assertEquals(encode(array {}), "[]")
  lu.assertEquals(encode { array(), { array { 1 } } }, "[[],[[1]]]")
end

function T.TestEncode.test_layout()
  local value = { b = { 1, array(), {} }, a = "x", ["a b"] = { c = null } }
  lu.assertEquals(encode(value, { sort_keys = true }), '{"a":"x","a b":{"c":null},"b":[1,[],{}]}')
  lu.assertEquals(encode(value, { sort_keys = true, indent = 2 }), [[
{
  "a": "x",
  "a b": {
    "c": null
  },
  "b": [
    1,
    [],
    {}
  ]
}]])
  lu.assertEquals(encode(value, { sort_keys = true, indent = 0 }), encode(value,
    { sort_keys = true }))
  lu.assertEquals(encode({ 1, 2 }, { indent = 1 }), "[\n 1,\n 2\n]")
  local keys = {}
  for i = 1, 300 do keys[("k%03d"):format(i * 7 % 300)] = i end
  local last = ""
  for key in encode(keys, { sort_keys = true }):gmatch '"(k%d+)"' do
    lu.assertTrue(key > last)
    last = key
  end
end

-- A list whose items are in the hash part, or were put in from the end.
function T.TestEncode.test_lists_of_any_history()
  local backwards, holes = {}, { 1, 2, 3, 4, 5, 6, 7 }
  for i = 100, 1, -1 do backwards[i] = i end
  local expected = {}
  for i = 1, 100 do expected[i] = tostring(i) end
  lu.assertEquals(encode(backwards), "[" .. table.concat(expected, ",") .. "]")
  for i = 7, 4, -1 do holes[i] = nil end
  lu.assertEquals(encode(holes), "[1,2,3]")
  holes.x = 1
  holes.x = nil
  lu.assertEquals(encode(holes), "[1,2,3]")
  local two = { [2] = "b" }
  two[1] = "a"
  lu.assertEquals(encode(two), '["a","b"]')
end

-- What table.pack, gather and map make.
function T.TestEncode.test_packed_lists()
  for _, sort in ipairs { false, true } do
    local function text(value) return encode(value, { sort_keys = sort }) end
    lu.assertEquals(text(table.pack(1, 2)), "[1,2]")
    lu.assertEquals(text(table.pack(nil, 2, nil)), "[null,2,null]")
    lu.assertEquals(text { n = 3, [3] = "x" }, '[null,null,"x"]')
    lu.assertEquals(text { a = table.pack({ n = 1 }) }, '{"a":[{"n":1}]}')
    lu.assertEquals(text(array(table.pack())), "[]")
    lu.assertEquals(text(array(table.pack(nil, nil))), "[null,null]")
    lu.assertEquals(text { n = 2 }, '{"n":2}')
  end
  aio.run(function()
    lu.assertEquals(encode(aio.map(function(x) return { x } end, { 1, 2 })), "[[1],[2]]")
    lu.assertEquals(encode(aio.gather { function() return 1 end, function() end }), "[1,null]")
  end)
end

-- What cannot be encoded: the value, what is said, and where it is.
local function refused()
  local cycle = { a = {} }
  cycle.a.b = { 1, cycle }
  local deep = {}
  for _ = 1, 600 do deep = { deep } end
  local odd = { ["x y"] = { { "\255" } } }
  return {
    { 0 / 0, "nan", "" }, { { a = { 1, 1 / 0 } }, "infinite", "a[2]" },
    { { -1 / 0 }, "infinite", "[1]" },
    { { f = print }, "a function", "f" }, { { a = coroutine.create(print) }, "a thread", "a" },
    { io.stdout, "a userdata", "" }, { { 1, nil, 3 }, "holes", "" },
    { { a = { [3] = 1 } }, "holes", "a" },
    { { 1, 2, x = 3 }, "both kinds", "" }, { { [1.5] = 1 }, "holes", "" },
    { { [true] = 1 }, "neither a string nor a position", "" },
    { { a = { b = { [{}] = 1 } } }, "neither a string nor a position", "a.b" },
    { array { a = 1 }, "both kinds", "" }, { { x = array { 1, nil, 3 } }, "holes", "x" },
    { { 1, 2, x = 3 }, "list of 2 items, and has the key 'x', too", "" },
    { { 1, [9] = 3 }, "list of 1 items, and has the key [9], too", "" },
    { { 1, [print] = 3 }, "the key 'function', too", "" },
    { { 1, nil, 3 }, "item 2 of 3 is nil (json.null", "" },
    { { a = { [3] = 1 } }, "key [3] (a list has the keys 1 to n", "a" },
    { { 1, 2, n = 1 }, "the key 'n', too", "" }, { { 1, 2, n = 2.0 }, "the key 'n', too", "" },
    { { 1, n = 2^40 // 1 | 0 }, "the key 'n', too", "" }, { { x = 1, n = 2, [2] = 1 }, "'x'", "" },
    { { q = setmetatable({ "a", "1" }, { __name = "MultiDict", __pairs = pairs }) },
      "of class MultiDict (make a plain table", "q" },
    { setmetatable({}, { __pairs = pairs }), "a table with __pairs (make", "" },
    { odd, "not valid UTF-8", '["x y"][1][1]' },
    { { a = { ["\255"] = 1 } }, "key that is not valid UTF-8", "a" },
    { cycle, "contains itself", "a.b[2]" }, { deep, "more than 512", ("[1]"):rep(20) .. "..." },
  }
end

function T.TestEncode.test_refused()
  for _, sorted in ipairs { false, true } do
    for i, case in ipairs(refused()) do
      local ok, err = pcall(encode, case[1], { sort_keys = sorted })
      lu.assertFalse(ok, i)
      lu.assertTrue(aio.is(err, json.EncodeError), i)
      lu.assertStrContains(err.message, case[2])
      lu.assertEquals(err.path, case[3])
      lu.assertStrContains(err.where, "test_json.lua")
    end
  end
  local same = {}
  lu.assertEquals(encode { same, same }, "[{},{}]")
  local ok, err = pcall(encode)
  lu.assertFalse(ok)
  lu.assertStrContains(err.message, "nil (json.null stands for null)")
end

function T.TestEncode.test_invalid_utf8()
  for _, text in ipairs { "\128", "\191", "\192\128", "\193\191", "\194", "\194a", "\224\128\128",
    "\224\159\191", "\224\160", "\237\160\128", "\237\191\191", "\239\191", "\240\128\128\128",
    "\240\143\191\191", "\240\144\128", "\244\144\128\128", "\245\128\128\128", "\255", "a\195",
    "\226\130" } do
    local ok, err = pcall(encode, text)
    lu.assertFalse(ok, ("%q"):format(text))
    lu.assertStrContains(err.message, "not valid UTF-8")
  end
end

function T.TestEncode.test_wrong_options()
  lu.assertErrorMsgContains("unknown option 'pretty'", encode, 1, { pretty = true })
  lu.assertErrorMsgContains("0 to 16 blanks", encode, 1, { indent = 17 })
  lu.assertErrorMsgContains("0 to 16 blanks", encode, 1, { indent = 0.5 })
  lu.assertErrorMsgContains("table expected", json.array, 1)
end

-- ---- decoding ----

local DECODED = {
  { "1", 1 }, { " [ ] ", {} }, { "-0", 0 }, { "-0.0", -0.0 }, { "1e2", 100.0 }, { "1E+2", 100.0 },
  { "1e-2", 0.01 }, { "0.5", 0.5 }, { "9223372036854775807", math.maxinteger },
  { "-9223372036854775808", math.mininteger }, { "true", true }, { "false", false }, { "\"\"", "" },
  { '"\\u00e4\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\"\\\\\\u0000"',
  "\195\164\240\159\152\128/\b\f\n\r\t\"\\\0" },
  { '"\127"', "\127" }, { "\t\r\n [1,\n{\"a\":[]}]", { 1, { a = {} } } }, { '{"":0}',
  { [""] = 0 } },
  { '{"a":1,"a":2}', { a = 2 } }, { "[[[[[]]]]]", { { { { {} } } } } },
  { '"\u{2028}"', "\u{2028}" },
  { "123456789.123456789", 123456789.123456789 }, { "1e-400", 0.0 },
}

local NOT_JSON = {
  "", " ", "nul", "True", "NaN", "Infinity", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1",
  "- 1", "1 2", "[", "]",
  "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{a:1}", "{'a':1}", "{\"a\"}", "{\"a\":}",
  "{\"a\":1,}", "{1:2}",
  "{\"a\":1 \"b\":2}", "[1]]", "{}}", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
  "\"\1\"", "\"\n\"",
  "\"\t\"", "'a'", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\255\"", "\"\192\128\"",
  "\"\237\160\128\"", "\"\195\"", "// x\n1", "/* */1", "\239\187\1911", "[1]\0", "\0", "1e400",
  "-1e400",
  "[\"\\u0000\"", "{\"\\u0000\":1}", "nullx", "[truefalse]", "undefined", "[1,2,3,\n4,,5]",
}

function T.TestDecode.test_values()
  for _, case in ipairs(DECODED) do
    local value = decode(case[1])
    lu.assertEquals(value, case[2])
    lu.assertEquals(math.type(value), math.type(case[2]), case[1])
  end
  lu.assertIs(decode "null", null)
  lu.assertIs(decode("[null]")[1], null)
  lu.assertEquals(tostring(null), "null")
  lu.assertErrorMsgContains("cannot have fields", function() null.x = 1 end)
end

function T.TestDecode.test_refused()
  for _, text in ipairs(NOT_JSON) do
    local ok, err = pcall(decode, text)
    lu.assertFalse(ok, text)
    lu.assertTrue(aio.is(err, json.DecodeError), text)
    lu.assertTrue(math.type(err.line) == "integer" and math.type(err.column) == "integer", text)
    lu.assertNil(err.message:find "[^\32-\126]")
    lu.assertTrue(#err.message < 800)
    lu.assertEquals(decode "[1]", { 1 })
  end
  lu.assertErrorMsgContains("string expected, got nil", decode)
  lu.assertErrorMsgContains("unknown option 'x'", decode, "1", { x = 1 })
  lu.assertErrorMsgContains("\"float\" or \"string\" expected", decode, "1", { big = "x" })
end

function T.TestDecode.test_position()
  local _, err = pcall(decode, '{"a": 1,\n  "\195\164": ?}')
  lu.assertEquals({ err.line, err.column, err.position }, { 2, 8, 18 })
  lu.assertStrContains(err.message, "in line 2, column 8")
  lu.assertStrContains(err.where, "test_json.lua")
end

function T.TestDecode.test_big_integers()
  local text = '[9223372036854775808, "9223372036854775808", '
    .. '{"-9223372036854775809\\"": -9223372036854775809}, 9223372036854775807, '
    .. "9223372036854775808e1, 0.12345678901234567890123, 1e0000000000000000000001]"
  local _, err = pcall(decode, text)
  lu.assertTrue(aio.is(err, json.DecodeError))
  lu.assertStrContains(err.message, "too big integer")
  local key = "-9223372036854775809\""
  local value = decode(text, { big = "float" })
  lu.assertEquals({ value[1], value[2], value[3][key], value[4] },
    { 2.0 ^ 63, "9223372036854775808", -2.0 ^ 63, math.maxinteger })
  lu.assertEquals({ math.type(value[1]), value[5], value[6], value[7] },
    { "float", 2.0 ^ 63 * 10, 0.12345678901234567890123, 10.0 })
  value = decode(text, { big = "string" })
  lu.assertEquals({ value[1], value[3][key], value[4] },
    { "9223372036854775808", "-9223372036854775809", math.maxinteger })
  lu.assertEquals(decode(("9"):rep(400), { big = "string" }), ("9"):rep(400))
  lu.assertErrorMsgContains("real number overflow", decode, ("9"):rep(400), { big = "float" })
  for _, bad in ipairs { "[9223372036854775808", '"9223372036854775808',
    "9223372036854775808\"\\" } do
    lu.assertFalse((pcall(decode, bad, { big = "string" })), bad)
  end
end

function T.TestDecode.test_unique_keys()
  lu.assertErrorMsgContains("duplicate object key", decode, '{"a":1,"a":2}', { unique_keys = true })
  lu.assertEquals(decode('{"a":1,"b":2}', { unique_keys = true }), { a = 1, b = 2 })
end

function T.TestDecode.test_depth()
  local function nested(n) return ("["):rep(n) .. ("]"):rep(n) end
  lu.assertEquals(encode(decode(nested(512))), nested(512))
  for _, n in ipairs { 513, 2000, 3000, 100000 } do
    local ok, err = pcall(decode, nested(n))
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, json.DecodeError), tostring(err))
    ok, err = pcall(decode, ('{"a":'):rep(n))
    lu.assertFalse(ok)
    lu.assertTrue(aio.is(err, json.DecodeError), tostring(err))
  end
end

-- Every text cut off at every byte, and with any one byte in the place of another.
function T.TestDecode.test_mutated()
  local texts = {}
  for _, case in ipairs(DECODED) do texts[#texts + 1] = case[1] end
  for _, text in ipairs(NOT_JSON) do texts[#texts + 1] = text end
  for _, text in ipairs(texts) do
    for i = 1, #text do
      for _, byte in ipairs { 0, 34, 44, 48, 58, 91, 92, 93, 101, 123, 125, 200, 255 } do
        local mutated = text:sub(1, i - 1) .. string.char(byte) .. text:sub(i + 1)
        local ok, value = pcall(decode, mutated)
        if ok then
          lu.assertEquals(decode(encode(value)), value)
        else
          lu.assertTrue(aio.is(value, json.DecodeError), tostring(value))
        end
      end
      pcall(decode, text:sub(1, i))
    end
  end
end

-- ---- both ways ----

function T.TestBoth.test_arrays_stay_arrays()
  local text = '{"a":[],"b":{},"c":[[],[{}]]}'
  lu.assertEquals(encode(decode(text), { sort_keys = true }), text)
  local list = decode "[1]"
  list[1] = nil
  lu.assertEquals(encode(list), "[]")
end

local function random_float(rnd)
  while true do
    local x = string.unpack("d", string.pack("i8", rnd(math.mininteger, math.maxinteger)))
    if x == x and x - x == 0 then return x end
  end
end

function T.TestBoth.test_numbers_are_exact()
  for _ = 1, 20000 do
    local x, n = random_float(math.random), math.random(math.mininteger, math.maxinteger)
    lu.assertEquals(decode(encode(x)), x)
    lu.assertEquals(decode(encode(n)), n)
    local short = tonumber(("%.6g"):format(x))
    local digits = encode(short):match("^-?([%d.]+)"):gsub("%.", "")
    lu.assertTrue(#digits:gsub("^0+", ""):gsub("0+$", "") <= 6, encode(short))
  end
end

function T.TestBoth.test_long_texts()
  local list = {}
  for i = 1, 5000 do list[i] = { id = i, name = ("\n\195\164"):rep(i % 50), half = i / 2 } end
  lu.assertEquals(decode(encode(list)), list)
  lu.assertEquals(decode(encode(list, { indent = 4, sort_keys = true })), list)
end

-- What Python reads of ours and writes in its own way is the same value.
function T.TestBoth.test_with_python()
  if not os.execute "command -v python3 >/dev/null 2>&1" then return lu.skip "no Python" end
  local text = "\0\31\127\u{e4}\u{20ac}\u{1f600}\"\\"
  local list = { null, array(), {}, true, text, -0.0, 1e308, 5e-324 }
  for _ = 1, 200 do
    list[#list + 1] = random_float(math.random)
    list[#list + 1] = math.random(math.mininteger, math.maxinteger)
    list[#list + 1] = { [("%x"):format(math.random(0))] = { math.random() } }
  end
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(encode(list))
  file:close()
  local program = "import json, sys; json.dump(json.load(sys.stdin), sys.stdout)"
  local pipe = io.popen(("python3 -c %s < %s"):format(env.quote(program), path))
  lu.assertEquals(decode(pipe:read "a"), list)
  pipe:close()
  os.remove(path)
end

-- What stands for null, and what marks arrays, is the same on the other side.
function T.TestBoth.test_in_another_thread()
  aio.run(function()
    local text = aio.to_thread(function()
      local other = require "aio.json"
      return other.encode { other.null, other.array() }
    end)
    lu.assertEquals(text, "[null,[]]")
    lu.assertIs(aio.to_thread(function(v) return v end, null), null)
    local value = decode '{"a":[],"b":[[null,[]]]}'
    local back = aio.to_thread(function(v)
      v.n = require "aio.json".encode(v.b)
      return v
    end, value)
    lu.assertEquals(encode(back, { sort_keys = true }),
      '{"a":[],"b":[[null,[]]],"n":"[[null,[]]]"}')
  end)
end

function T.TestBoth.test_another_library()
  json.use { encode = function() return "mine" end, decode = function() return "yours" end }
  local got = { json.encode(1), json.decode "1" }
  json.use(nil)
  lu.assertEquals(got, { "mine", "yours" })
  lu.assertEquals(json.encode(1), "1")
  lu.assertErrorMsgContains("'encode' and 'decode' expected", json.use, {})
end

-- A program that has not got the library: one error that says what to install.
function T.TestBoth.test_without_the_library()
  local program = [[
    package.preload["aio.jansson"] = function() error("no such file", 0) end
    local json = require "aio.json"
    local ok, err = pcall(json.encode, 1)
    print(ok, err)
    json.use { encode = tostring, decode = tonumber }
    print(json.encode(5))]]
  local pipe = io.popen(env.command("-e " .. env.quote(program) .. " /dev/null"))
  local text = pipe:read "a"
  pipe:close()
  lu.assertStrContains(text, "JSON needs the library aio/jansson.so (in LuaRocks the rock aio-json")
  lu.assertStrContains(text, "libjansson-dev")
  lu.assertStrContains(text, "\n5\n")
end

return T
