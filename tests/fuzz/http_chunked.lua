-- SPDX-License-Identifier: MIT
-- Bodies in chunks: the bytes of the input, whole and in pieces; what was taken is no more than
-- what came, and encoding it again gives the same data.

local http = require "http"
local input = require "input"

local HEAD = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

-- data, and true (the end), false (more is wanted) or a message; how much was used.
local function body(text, size, small)
  local p = http.parser({ one_in = function() return small end }, "request")
  p:feed(HEAD)
  p:head()
  local parts, at = {}, 1
  while true do
    local used, done = http.feed(p, text:sub(at), size)
    at = at + used
    if not done then return table.concat(parts), false, at end
    local data, last, message = p:body()
    if not data then return table.concat(parts), message, at end
    assert(#data <= 65536, "too much at once")
    parts[#parts + 1] = data
    if last then return table.concat(parts), true, at end
  end
end

local function encoded(data, n)
  local parts = {}
  for at = 1, #data, n do
    local piece = data:sub(at, at + n - 1)
    parts[#parts + 1] = ("%x\r\n%s\r\n"):format(#piece, piece)
  end
  return table.concat(parts) .. "0\r\n\r\n"
end

local function all(left) return left end

return input.target(function(i)
  local small, n = i:one_in(2), i:int(1, 30)
  local size = http.sizes(i)
  local text = i.data:sub(i.at)
  local data, ended, used = body(text, all, small)
  assert(#data <= #text, "more data than bytes")
  local data2, ended2, used2 = body(text, size, small)
  assert(data2 == data and ended2 == ended, "otherwise in pieces")
  assert(ended ~= true or used2 == used, "used otherwise in pieces")
  local data3, ended3 = body(encoded(data, n), size, small)
  assert(data3 == data and ended3 == true, "not the same when it is encoded again")
end)
