-- SPDX-License-Identifier: MIT
-- The receiving side of WebSocket alone: every case of tests/support/ws.lua, in pieces of several
-- sizes, and what is written, read back.

local env = require "support.env"
local lu = require "luaunit"

local T = {}

if not env.has_http() then
  function T.test_http() lu.skip("built without HTTP") end
  return T
end

local hc = require "aio.http.core"
local ws = require "support.ws"

local NAMES = { [1] = "text ", [2] = "binary ", [9] = "ping ", [10] = "pong " }

local function event_of(opcode, data, more)
  if opcode == 0 then return ("error %d"):format(more) end
  if opcode == 8 then return ("close %d %s"):format(more, data) end
  return NAMES[opcode] .. data
end

-- What a reader sees of bytes that come in pieces of this size.
local function seen(reader, bytes, step)
  local events, at = {}, 1
  while at <= #bytes do
    local piece = bytes:sub(at, at + step - 1)
    local used = reader:feed(piece)
    at = at + used
    local opcode, data, more = reader:take()
    if opcode then
      events[#events + 1] = event_of(opcode, data, more)
    else
      lu.assertEquals(used, #piece)
    end
  end
  local opcode, data, more = reader:take()
  if opcode then events[#events + 1] = event_of(opcode, data, more) end
  return events
end

local function short(list)
  local out = {}
  for i, s in ipairs(list) do out[i] = #s > 60 and s:sub(1, 60) .. "... " .. #s or s end
  return table.concat(out, " | ", 1, math.min(#out, 12))
end

local function same(a, b)
  if #a ~= #b then return false end
  for i = 1, #a do
    if a[i] ~= b[i] then return false end
  end
  return true
end

function T.test_every_case_in_pieces_of_every_size()
  local wrong, count = {}, 0
  for _, case in ipairs(ws.cases()) do
    count = count + 1
    for _, step in ipairs { #case.bytes, 1, 3, 1000, 65536 } do
      if step > 3 or step > 0 and #case.bytes < 5000 then
        local got = seen(hc.ws_reader(true, case.max), case.bytes, step)
        if not same(got, case.expected) then
          wrong[#wrong + 1] = ("%s, %s, pieces of %d: %s, expected %s"):format(case.group,
            case.name, step, short(got), short(case.expected))
        end
      end
    end
  end
  if #wrong > 0 then lu.fail("\n" .. table.concat(wrong, "\n", 1, math.min(20, #wrong))) end
  lu.assertTrue(count > 480)
end

function T.test_a_client_sees_the_same_without_masks()
  local reader = hc.ws_reader(false)
  lu.assertEquals(seen(reader, ws.frame(1, "a", { mask = false }), 1), { "text a" })
  lu.assertEquals(seen(reader, ws.frame(1, "a"), 1), { "error 1002" })
end

function T.test_compressed_frames_only_where_agreed()
  local reader = hc.ws_reader(true, 1000, true)
  reader:feed(ws.frame(1, "\xff", { rsv = 4, fin = false }) .. ws.frame(0, "\xfe"))
  lu.assertEquals({ reader:take() }, { 1, "\xff\xfe", true })
  reader:feed(ws.frame(1, "plain"))
  lu.assertEquals({ reader:take() }, { 1, "plain", false })
  for _, bad in ipairs { ws.frame(9, "", { rsv = 4 }), ws.frame(1, "", { rsv = 6 }),
    ws.frame(1, "", { rsv = 2 }),
    ws.frame(1, "a", { fin = false }) .. ws.frame(0, "", { rsv = 4 }) } do
    lu.assertEquals(seen(hc.ws_reader(true, 1000, true), bad, 1), { "error 1002" })
  end
end

function T.test_a_limit_of_its_own()
  lu.assertEquals(seen(hc.ws_reader(true, 5), ws.frame(1, "12345"), 2), { "text 12345" })
  lu.assertEquals(seen(hc.ws_reader(true, 5), ws.frame(1, "123456"), 2), { "error 1009" })
  lu.assertEquals(seen(hc.ws_reader(true, 0), ws.frame(1, ""), 2), { "text " })
  lu.assertEquals(seen(hc.ws_reader(true, 0), ws.frame(9, "ping"), 2), { "ping ping" })
  lu.assertErrorMsgContains("not negative", hc.ws_reader, true, -1)
end

-- What is announced takes no memory, only what has come.
function T.test_an_announcement_takes_no_memory()
  if not env.host then return lu.skip("needs aio-lua") end
  local readers = {}
  collectgarbage()
  local before = env.host.memory()
  for i = 1, 100 do
    readers[i] = hc.ws_reader(true)
    readers[i]:feed(ws.frame(2, "x", { form = 127, length = 4 << 20 }))
  end
  collectgarbage()
  local after = env.host.memory()
  lu.assertTrue(after - before < 100 * 2000)
end

function T.test_nothing_more_is_taken_before_an_event_was_seen()
  local reader = hc.ws_reader(true)
  local two = ws.frame(1, "a") .. ws.frame(1, "b")
  lu.assertEquals(reader:feed(two), #two // 2)
  lu.assertEquals(reader:feed(two), 0)
  lu.assertEquals({ reader:take() }, { 1, "a", false })
  lu.assertNil(reader:take())
  lu.assertEquals(reader:taken(), #two // 2)
  reader:stop()
  lu.assertEquals(reader:feed(two), #two)
  lu.assertNil(reader:take())
end

local SIZES = { 0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 125, 126, 127, 65535, 65536, 100000 }

function T.test_what_is_written_is_read()
  for _, size in ipairs(SIZES) do
    local data = ("\1\2\3\4\5\6\7"):rep(size // 7 + 1):sub(1, size)
    local frame = hc.ws_frame(0x82, data)
    lu.assertTrue(same(seen(hc.ws_reader(true), frame, 1000), { "binary " .. data }))
    local plain = hc.ws_head(0x82, size) .. data
    lu.assertTrue(same(seen(hc.ws_reader(false), plain, 1000), { "binary " .. data }))
    lu.assertEquals(#frame, #plain + 4)
    lu.assertTrue(plain == ws.frame(2, data, { mask = false }))
  end
end

function T.test_mask_keys_are_all_different()
  local keys, n = {}, 1000
  for _ = 1, n do
    local key = hc.ws_frame(0x81, ""):sub(3)
    lu.assertEquals(#key, 4)
    keys[key] = true
  end
  local count = 0
  for _ in pairs(keys) do count = count + 1 end
  lu.assertTrue(count > n - 5)
end

function T.test_utf8_and_base64()
  lu.assertTrue(hc.utf8 "" and hc.utf8 "aé€😀")
  lu.assertFalse(hc.utf8 "\xc3" or hc.utf8 "a\x80" or hc.utf8 "\xed\xa0\x80")
  local random = hc.base64
  lu.assertEquals({ random "", random "f", random "fo", random "foo", random "foob" },
    { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==" })
  lu.assertTrue(hc.ws_code(1000) and hc.ws_code(4999))
  lu.assertFalse(hc.ws_code(1005) or hc.ws_code(-1) or hc.ws_code(5000))
end

-- Any bytes at all: the pieces in which they come make no difference.
function T.test_random_bytes_in_any_pieces()
  math.randomseed(7)
  local cases = ws.cases()
  for _ = 1, 500 do
    local bytes = cases[math.random(#cases)].bytes:sub(1, 300)
    local at = math.random(#bytes)
    bytes = bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + 1)
    local whole = seen(hc.ws_reader(true), bytes, #bytes)
    lu.assertTrue(same(seen(hc.ws_reader(true), bytes, 1), whole))
    lu.assertTrue(same(seen(hc.ws_reader(true), bytes, math.random(2, 20)), whole))
  end
end

return T
