-- SPDX-License-Identifier: MIT
-- Multipart bodies: the same whole and in pieces of any size, malformed or not; what was read and
-- is written again is read as the same.

local body = require "aio.http.body"
local content = require "aio.http.content"
local input = require "input"
local multipart = require "aio.http.multipart"
local writer = require "aio.http.multipart_writer"

local PIECES = {
  "\r\n--b\r\n", "--b\r\n", "\r\n--b--", "--b--\r\n", "\r\n", "\r", "\n", "--", "b", "A: b", ": ",
  "\r\n\r\n", "Content-Disposition: form-data; name=\"x\"; filename=y", " ", "\t", "\0", "x", "-b",
}

local function text_of(i)
  local parts = {}
  while not i:done() do
    parts[#parts + 1] = i:one_in(8) and i:take(i:int(0, 20)) or i:pick(PIECES)
  end
  return table.concat(parts)
end

local function content_of(text, size)
  local at = 1
  return content.new(function()
    if at > #text then return nil end
    local piece = text:sub(at, at + size() - 1)
    at = at + #piece
    return piece
  end)
end

-- The parts that were whole, and the error.
local function read(bytes, boundary, size)
  local parts = {}
  local ok, err = pcall(function()
    local kind = { ["Content-Type"] = "multipart/mixed; boundary=" .. boundary }
    for part in multipart.MultipartReader(kind, content_of(bytes, size)):parts() do
      local headers = {}
      for name, value in pairs(part.headers) do
        headers[#headers + 1] = name .. ":" .. value
      end
      parts[#parts + 1] = { headers = headers, text = part:read() }
    end
  end)
  assert(ok or type(err) == "table" and err.status == 400, tostring(err))
  return parts, not ok and err.message or nil
end

local function same(a, b, with_headers)
  assert(#a == #b, "another number of parts")
  for n, part in ipairs(a) do
    assert(part.text == b[n].text, "other bytes in a part")
    local x, y = table.concat(part.headers, "\n"), table.concat(b[n].headers, "\n")
    assert(not with_headers or x == y, "other headers")
  end
end

return input.target(function(i)
  local step = i:int(1, 40)
  local text = text_of(i)
  local whole, why = read(text, "b", function() return #text end)
  local n = 0
  local pieces, why2 = read(text, "b", function()
    n = n % step + 1
    return n
  end)
  same(whole, pieces, true)
  assert(why == why2, "malformed for another reason")
  local out, chunks = writer.MultipartWriter("mixed", "other-boundary-of-these"), {}
  for _, part in ipairs(whole) do out:append(part.text) end
  for chunk in body.chunks(out:_as_body()) do chunks[#chunks + 1] = chunk end
  local bytes = table.concat(chunks)
  assert(#bytes == out:size())
  same(whole, (read(bytes, out.boundary, function() return step end)), false)
end)
