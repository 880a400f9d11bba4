-- SPDX-License-Identifier: MIT
-- Frames of WebSocket written by hand, for tests: nothing of aio makes them. And the cases of
-- RFC 6455 in nine groups, each with what its receiver must see.

local ws = {}

ws.CONTINUATION, ws.TEXT, ws.BINARY, ws.CLOSE, ws.PING, ws.PONG = 0, 1, 2, 8, 9, 10

ws.LIMIT = 1 << 16 -- bytes of a message, in the cases about that

local MASK = { 0x37, 0xfa, 0x21, 0x3d }

local function masked(payload)
  local bytes = {}
  for i = 1, #payload do bytes[i] = string.char(payload:byte(i) ~ MASK[(i - 1) % 4 + 1]) end
  return string.char(table.unpack(MASK)) .. table.concat(bytes)
end

-- Long payloads, of which the tests have only few different ones.
local cache = {}

local function masked_once(payload)
  if #payload < 1000 then return masked(payload) end
  cache[payload] = cache[payload] or masked(payload)
  return cache[payload]
end

--- A frame. opts: fin (true), rsv (0 to 7), mask (true: as a client sends it), form (126, 127: a
--- longer form of the length), length (announced instead of the payload's own).
function ws.frame(opcode, payload, opts)
  opts = opts or {}
  local mask = opts.mask ~= false
  local length = opts.length or #payload
  local form = opts.form or (length > 0xffff and 127 or length > 125 and 126) or length
  local head = string.char((opts.fin == false and 0 or 0x80) | (opts.rsv or 0) << 4 | opcode,
    (mask and 0x80 or 0) | form)
  if form == 126 then head = head .. string.pack(">I2", length) end
  if form == 127 then head = head .. string.pack(">I8", length) end
  return head .. (mask and masked_once(payload) or payload)
end

function ws.close(code, reason, opts)
  return ws.frame(ws.CLOSE, code and string.pack(">I2", code) .. (reason or "") or "", opts)
end

-- ---- the cases ----

local frame = ws.frame

-- group, name, what comes, what is seen: list of "text Hello", "ping x", "error 1002", ...; the
-- limit of a message in the groups that are about it.
local function builder()
  local cases = {}
  return cases, function(group, name, bytes, ...)
    cases[#cases + 1] = {
      group = group, name = name, bytes = bytes, expected = { ... },
      max = group == "8 limits" and ws.LIMIT or nil,
    }
  end
end

local function frames_of(add)
  for _, size in ipairs { 0, 1, 2, 7, 8, 9, 124, 125, 126, 127, 128, 255, 256, 4095, 4096, 65534,
    65535, 65536, 65537 } do
    local text = ("*"):rep(size)
    add("1 framing", "text of " .. size, frame(ws.TEXT, text), "text " .. text)
    local data = ("\xfe"):rep(size)
    add("1 framing", "binary of " .. size, frame(ws.BINARY, data), "binary " .. data)
  end
  for _, size in ipairs { 0, 1, 125 } do
    add("1 framing", ("length %d in 16 bits"):format(size),
      frame(ws.TEXT, ("a"):rep(size), { form = 126 }), "error 1002")
  end
  for _, size in ipairs { 0, 1, 125, 126, 65535 } do
    add("1 framing", ("length %d in 64 bits"):format(size),
      frame(ws.BINARY, ("a"):rep(size), { form = 127 }), "error 1002")
  end
  for _, length in ipairs { math.mininteger, -1, -2 } do
    add("1 framing", ("length %x"):format(length),
      frame(ws.BINARY, "", { form = 127, length = length }), "error 1002")
  end
  for _, length in ipairs { math.maxinteger, 1 << 32, (4 << 20) + 1 } do
    add("1 framing", ("length %x"):format(length),
      frame(ws.BINARY, "", { form = 127, length = length }), "error 1009")
  end
  for _, opcode in ipairs { ws.TEXT, ws.BINARY, ws.PING, ws.CLOSE } do
    add("1 framing", "no mask, opcode " .. opcode, frame(opcode, "", { mask = false }),
      "error 1002")
  end
end

local function pings_of(add)
  local g = "2 pings"
  for _, payload in ipairs { "", "Hello", "\0\xff\xfe\xfd\xfc\xfb\0\xff", ("\xfe"):rep(125) } do
    add(g, ("ping of %d"):format(#payload), frame(ws.PING, payload), "ping " .. payload)
    add(g, ("pong of %d"):format(#payload), frame(ws.PONG, payload), "pong " .. payload)
  end
  for _, opcode in ipairs { ws.PING, ws.PONG, ws.CLOSE } do
    for _, size in ipairs { 126, 127, 65536 } do
      add(g, ("control %d of %d"):format(opcode, size), frame(opcode, ("x"):rep(size)),
        "error 1002")
    end
    add(g, "fragmented control " .. opcode, frame(opcode, "", { fin = false }), "error 1002")
  end
  local all, seen = {}, {}
  for i = 1, 10 do
    all[i], seen[i] = frame(ws.PING, "payload-" .. i), "ping payload-" .. i
  end
  add(g, "ten pings", table.concat(all), table.unpack(seen))
  add(g, "pong, then ping", frame(ws.PONG, "a") .. frame(ws.PING, "b"), "pong a", "ping b")
end

local function reserved_of(add)
  for rsv = 1, 7 do
    for _, opcode in ipairs { ws.TEXT, ws.BINARY, ws.PING, ws.PONG, ws.CLOSE } do
      add("3 reserved bits", ("bits %d, opcode %d"):format(rsv, opcode),
        frame(ws.TEXT, "ok") .. frame(opcode, "", { rsv = rsv }) .. frame(ws.PING, ""),
        "text ok", "error 1002")
    end
    add("3 reserved bits", ("bits %d in a continuation"):format(rsv),
      frame(ws.TEXT, "a", { fin = false }) .. frame(0, "b", { rsv = rsv }), "error 1002")
  end
end

local function opcodes_of(add)
  for _, opcode in ipairs { 3, 4, 5, 6, 7, 11, 12, 13, 14, 15 } do
    add("4 opcodes", "opcode " .. opcode, frame(opcode, ""), "error 1002")
    add("4 opcodes", "opcode " .. opcode .. " with a payload", frame(opcode, "payload"),
      "error 1002")
    add("4 opcodes", "opcode " .. opcode .. " after a message",
      frame(ws.TEXT, "a") .. frame(opcode, "b") .. frame(ws.PING, ""), "text a", "error 1002")
  end
end

local function fragments_of(add)
  local g = "5 fragments"
  local open, ping = { fin = false }, frame(ws.PING, "p")
  for _, opcode in ipairs { ws.TEXT, ws.BINARY } do
    local kind = opcode == ws.TEXT and "text " or "binary "
    local first, middle = frame(opcode, "one ", open), frame(0, "two ", open)
    local last = frame(0, "three")
    add(g, kind .. "in two", first .. last, kind .. "one three")
    add(g, kind .. "in three", first .. middle .. last, kind .. "one two three")
    add(g, kind .. "ping between", first .. ping .. middle .. ping .. last, "ping p", "ping p",
      kind .. "one two three")
    add(g, kind .. "empty parts", frame(opcode, "", open) .. frame(0, "", open) .. frame(0, ""),
      kind)
    add(g, kind .. "last is empty", first .. frame(0, ""), kind .. "one ")
    add(g, kind .. "first is empty", frame(opcode, "", open) .. last, kind .. "three")
    add(g, kind .. "close between", first .. ws.close(1000), "close 1000 ")
    add(g, kind .. "a new one inside", first .. frame(ws.TEXT, "x"), "error 1002")
    add(g, kind .. "a new one begins inside", first .. frame(ws.BINARY, "x", open), "error 1002")
    add(g, kind .. "two after each other", first .. last .. first .. last, kind .. "one three",
      kind .. "one three")
    for _, pieces in ipairs { 4, 16, 100 } do
      local parts = { frame(opcode, "x", open) }
      for i = 2, pieces - 1 do parts[i] = frame(0, "x", open) end
      parts[pieces] = frame(0, "x")
      add(g, ("%s in %d"):format(kind, pieces), table.concat(parts), kind .. ("x"):rep(pieces))
    end
  end
  for _, fin in ipairs { true, false } do
    add(g, ("continuation of nothing, %s"):format(fin), frame(0, "x", { fin = fin }), "error 1002")
    add(g, ("the same after a message, %s"):format(fin),
      frame(ws.TEXT, "a") .. frame(0, "x", { fin = fin }), "text a", "error 1002")
    add(g, ("the same after a ping, %s"):format(fin), ping .. frame(0, "x", { fin = fin }),
      "ping p", "error 1002")
  end
  local endless = {}
  for i = 1, 5 do endless[i] = frame(i == 1 and ws.BINARY or 0, ("x"):rep(ws.LIMIT // 4), open) end
  add("8 limits", "fragments without end", table.concat(endless), "error 1009")
end

-- From RFC 3629 and the usual hard cases: what is valid, and what is not.
local VALID = {
  "", "Hello-µ@ßöäüàá-UTF-8!!", "κόσμε", "\0", "\x7f", "\u{80}", "\u{7ff}", "\u{800}", "\u{fff}",
  "\u{1000}", "\u{d7ff}", "\u{e000}", "\u{fffd}", "\u{fffe}", "\u{ffff}", "\u{10000}", "\u{3ffff}",
  "\u{40000}", "\u{fffff}", "\u{100000}", "\u{10fffe}", "\u{10ffff}", "\u{1fffe}", "\u{1ffff}",
  "\u{fdd0}", "日本語", "😀", "a😀b", "\u{a0}\u{3000}", ("é"):rep(70), ("x"):rep(200) .. "é",
}
local INVALID = {
  "\x80", "\xbf", "\x80\xbf", "\xc0", "\xc1", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xc2", "\xdf",
  "\xc2\x20", "\xc2\xc0", "\xe0\x80\x80", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xe0\xa0", "\xe1\x80",
  "\xe1\x80\xc0", "\xed\xa0\x80", "\xed\xad\xbf", "\xed\xae\x80", "\xed\xaf\xbf", "\xed\xb0\x80",
  "\xed\xbf\xbf", "\xed\xa0\x80\xed\xb0\x80", "\xed\xaf\xbf\xed\xbf\xbf", "\xee\x80", "\xef\xbf",
  "\xf0\x80\x80\x80", "\xf0\x80\x80\xaf", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80", "\xf1\x80\x80",
  "\xf4\x90\x80\x80", "\xf4\xbf\xbf\xbf", "\xf5\x80\x80\x80", "\xf7\xbf\xbf\xbf", "\xf8",
  "\xf8\x88\x80\x80\x80", "\xfb\xbf\xbf\xbf\xbf", "\xfc", "\xfc\x84\x80\x80\x80\x80", "\xfe",
  "\xff", "\xfe\xfe\xff\xff", "κόσμε\xed\xa0\x80edited", "κόσμε\xf4\x90\x80\x80edited", "\xce",
  "\xce\xba\xe1", "\xce\xba\xe1\xbd", "abc\xff", ("x"):rep(64) .. "\xc3", "\xc3(", "a\xe2\x82",
}

local function utf8_of(add)
  local g, open = "6 UTF-8", { fin = false }
  for i, text in ipairs(VALID) do
    assert(utf8.len(text))
    add(g, "valid " .. i, frame(ws.TEXT, text), "text " .. text)
    if #text > 1 then
      local half = #text // 2
      add(g, "valid in two " .. i, frame(ws.TEXT, text:sub(1, half), open)
        .. frame(ws.PING, "") .. frame(0, text:sub(half + 1)), "ping ", "text " .. text)
    end
  end
  for i, text in ipairs(INVALID) do
    assert(not utf8.len(text))
    add(g, "invalid " .. i, frame(ws.TEXT, text), "error 1007")
    add(g, "invalid in two " .. i, frame(ws.TEXT, text:sub(1, 1), open) .. frame(0, text:sub(2)),
      "error 1007")
    add(g, "as binary " .. i, frame(ws.BINARY, text), "binary " .. text)
  end
  -- seen at once, though the end has not come
  add(g, "a wrong byte early", frame(ws.TEXT, "\xff", { length = 1000 }), "error 1007")
  add(g, "a wrong byte in a first fragment", frame(ws.TEXT, "ab\xff", open), "error 1007")
end

local function closes_of(add)
  local g = "7 closing"
  add(g, "empty", ws.close(), "close 1005 ")
  add(g, "one byte", frame(ws.CLOSE, "a"), "error 1002")
  for _, code in ipairs { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
    3000, 3999, 4000, 4999 } do
    add(g, "code " .. code, ws.close(code), ("close %d "):format(code))
    add(g, ("code %d and reason"):format(code), ws.close(code, "why"),
      ("close %d why"):format(code))
  end
  for _, code in ipairs { 0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000,
    9999, 65535 } do
    add(g, "code " .. code, ws.close(code), "error 1002")
    add(g, ("code %d and reason"):format(code), ws.close(code, "why"), "error 1002")
  end
  add(g, "reason of 123", ws.close(1000, ("x"):rep(123)), "close 1000 " .. ("x"):rep(123))
  add(g, "reason of 124", ws.close(1000, ("x"):rep(124)), "error 1002")
  add(g, "reason is no UTF-8", ws.close(1000, "\xce\xba\xe1"), "error 1007")
  add(g, "reason is half", ws.close(1000, "ok\xe2\x82"), "error 1007")
  for name, after in pairs { text = frame(ws.TEXT, "x"), ping = frame(ws.PING, "x"),
    close = ws.close(1001), garbage = "\xff\xff\xff" } do
    add(g, "then " .. name, ws.close(1000) .. after, "close 1000 ")
  end
  add(g, "text before", frame(ws.TEXT, "x") .. ws.close(1000), "text x", "close 1000 ")
end

local function limits_of(add)
  local max = ws.LIMIT
  local text = ("x"):rep(max)
  for _, opcode in ipairs { ws.TEXT, ws.BINARY } do
    local kind = opcode == ws.TEXT and "text " or "binary "
    for _, size in ipairs { 64, 1 << 10, 1 << 14, max - 1, max } do
      add("8 limits", kind .. size, frame(opcode, text:sub(1, size)), kind .. text:sub(1, size))
    end
    add("8 limits", kind .. "above", frame(opcode, text .. "x"), "error 1009")
    add("8 limits", kind .. "above by one byte", frame(opcode, text, { fin = false })
      .. frame(0, "x"), "error 1009")
    add("8 limits", kind .. "of an empty end", frame(opcode, text, { fin = false }) .. frame(0, ""),
      kind .. text)
  end
end

-- Many in a row, in one go.
local function many_of(add)
  for _, size in ipairs { 0, 16, 126, 1024 } do
    for _, count in ipairs { 2, 20, 200 } do
      local one = frame(ws.TEXT, ("m"):rep(size))
      local seen = {}
      for i = 1, count do seen[i] = "text " .. ("m"):rep(size) end
      add("9 many", ("%d of %d"):format(count, size), one:rep(count), table.unpack(seen))
    end
  end
end

--- All cases, made anew: a list of { group=, name=, bytes=, expected= }, as a server sees them.
function ws.cases()
  local cases, add = builder()
  for _, group in ipairs { frames_of, pings_of, reserved_of, opcodes_of, fragments_of, utf8_of,
    closes_of, limits_of, many_of } do
    group(add)
  end
  return cases
end

return ws
