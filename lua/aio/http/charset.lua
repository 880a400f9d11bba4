-- SPDX-License-Identifier: MIT
--
-- Texts of other charsets in UTF-8: those that Content-Type still says today and that need no
-- tables but one short one. For others read the bytes and convert them elsewhere.

local check = require "aio.check"

local M = {}

-- windows-1252 from 0x80 on, where it is not Latin 1; 0: no character.
local CP1252 = {
  0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039,
  0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122,
  0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
}

local REPLACEMENT = "\u{FFFD}"

local function from_latin(data)
  return (data:gsub("[\128-\255]", function(c) return utf8.char(c:byte()) end))
end

local function from_cp1252(data)
  return (data:gsub("[\128-\255]", function(c)
    local byte = c:byte()
    local code = byte < 0xA0 and CP1252[byte - 0x7F] or byte
    return utf8.char(code ~= 0 and code or byte)
  end))
end

local function from_ascii(data) return (data:gsub("[\128-\255]", REPLACEMENT)) end

-- Every wrong byte becomes one replacement character.
local function from_utf8(data)
  if data:sub(1, 3) == "\u{FEFF}" then data = data:sub(4) end
  local _, bad = utf8.len(data)
  if not bad then return data end
  local parts, from = {}, 1
  while bad do
    parts[#parts + 1] = data:sub(from, bad - 1)
    parts[#parts + 1] = REPLACEMENT
    from = bad + 1
    _, bad = utf8.len(data, from)
  end
  parts[#parts + 1] = data:sub(from)
  return table.concat(parts)
end

local function from_utf16(data, format)
  local parts, high = {}, nil
  for at = 1, #data - 1, 2 do
    local unit = string.unpack(format, data, at)
    local is_low = unit >= 0xDC00 and unit < 0xE000
    if high and is_low then
      parts[#parts + 1] = utf8.char(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00))
    elseif high or is_low then
      parts[#parts + 1] = REPLACEMENT
    end
    local was_pair = high and is_low
    high = unit >= 0xD800 and unit < 0xDC00 and unit or nil
    if not high and not is_low and not was_pair then parts[#parts + 1] = utf8.char(unit) end
  end
  if high or #data % 2 == 1 then parts[#parts + 1] = REPLACEMENT end
  return table.concat(parts)
end

-- With a mark at the beginning that says in which order.
local function from_utf16_marked(data)
  local mark = data:sub(1, 2)
  if mark == "\xFE\xFF" then return from_utf16(data:sub(3), ">I2") end
  if mark == "\xFF\xFE" then data = data:sub(3) end
  return from_utf16(data, "<I2")
end

local READERS = {
  ["utf-8"] = from_utf8, utf8 = from_utf8,
  ["us-ascii"] = from_ascii, ascii = from_ascii,
  ["iso-8859-1"] = from_latin, latin1 = from_latin, ["latin-1"] = from_latin,
  ["windows-1252"] = from_cp1252, cp1252 = from_cp1252,
  ["utf-16"] = from_utf16_marked,
  ["utf-16le"] = function(data) return from_utf16(data, "<I2") end,
  ["utf-16be"] = function(data) return from_utf16(data, ">I2") end,
}

--- Is it one of those?
---@param charset string its name, in any case
---@return boolean
function M.is_known(charset) return READERS[charset:lower()] ~= nil end

--- A text in UTF-8; what is no character becomes U+FFFD.
---@param data string
---@param charset string its name, in any case
---@param n integer which argument of function `name` it was
---@return string
function M.to_utf8(data, charset, n, name)
  local reader = READERS[charset:lower()]
  check.arg(reader, n, name, ("charset '%s' is not known (there is: utf-8, us-ascii, iso-8859-1, "
    .. "windows-1252, utf-16, utf-16le, utf-16be); use read() and convert the bytes"):format(
    (charset:sub(1, 40):gsub("[%c\127-\255]", "?"))))
  return reader(data)
end

return M
