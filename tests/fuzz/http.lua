-- SPDX-License-Identifier: MIT
-- What the targets of HTTP share: the parser given the same bytes in different ways says the same,
-- and takes no byte behind the message.

local aio = require "aio"
local core = require "aio.core"
local hc = require "aio.http.core"
local stream_pair = require("aio.pair").stream_pair

local M = {}

M.core = hc

-- Small ones, so that an input meets them.
local LIMITS = { line = 120, field = 100, fields = 6, head = 400, trailers = 60 }

---@param i table the input
---@param kind string
---@return userdata
function M.parser(i, kind) return hc.parser(kind, i:one_in(2) and LIMITS or nil) end

---Sizes of pieces, by the input's next bytes.
---@param i table
---@return fun(left: integer): integer
function M.sizes(i)
  local fixed = i:one_in(2) and i:int(1, 40)
  local seed = i:byte()
  return function(left)
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return math.min(left, fixed or 1 + (seed >> 16) % 30)
  end
end

---Gives the parser the text in pieces until it is done.
---@return integer used
---@return boolean done
function M.feed(p, text, size)
  local at, done = 1, select(2, p:feed "")
  while at <= #text and not done do
    local n = size(#text - at + 1)
    local used
    used, done = p:feed(text:sub(at, at + n - 1))
    assert(used <= n, "more used than given")
    assert(done or used == n, "bytes were left by a parser that wants more")
    at = at + used
  end
  return at - 1, done
end

---The same by core._feed over a stream in memory, whose reader is cancelled now and then.
---@return boolean|nil done  nil: the stream ended before
---@return string rest  what the parser has left in the stream
function M.feed_stream(p, text, i)
  local a, b = stream_pair { chunk = i:int(1, 50), seed = i:byte() }
  local writer = aio.create_task(function()
    b:write(text)
    b:write_eof()
  end)
  local done
  local cancels = i:int(0, 2)
  repeat
    local reader = aio.create_task(core._feed, a, p, 10, 5)
    if cancels > 0 then
      for _ = 1, i:int(1, 4) do aio.sleep(0) end
      reader:cancel()
    end
    cancels = cancels - 1
    local ok, result = aio.catch(aio.CancelledError, reader.await, reader)
    done = result
  until ok
  local rest = done and a:read("a") or ""
  writer:await()
  a:abort()
  b:abort()
  return done, rest
end

-- What a head says, as one text.
function M.told(p)
  local head = table.pack(p:head())
  if not head[1] then
    assert(math.type(head[2]) == "integer" and head[2] >= 400 and head[2] <= 599, "no status")
    assert(#head[3] > 0 and #head[3] < 200 and not head[3]:find("[%c\x80-\xff]"), "a bad message")
    return ("refused %d %s"):format(head[2], head[3])
  end
  local parts = { table.concat(head, " ", 2, head.n) }
  for name, value in pairs(head[1]) do
    assert(head[1]:get_all(name)[1] == head[1][name:upper()], "found otherwise")
    assert(hc.check_field(name, value) == nil, "a field that could not be sent")
    parts[#parts + 1] = ("%s: %s"):format(name, value)
  end
  assert(#parts == #head[1] + 1, "a wrong count")
  return table.concat(parts, "\n"), head
end

---A head given whole, in pieces and through a stream.
---@param make fun(): userdata a parser
---@return string told
---@return table|nil head what p:head() gave, when it was taken
---@return integer used
function M.head(i, text, make)
  local whole = make()
  local used, done = whole:feed(text)
  local said, head = "wanted more", nil
  if done then said, head = M.told(whole) end
  local pieces = make()
  local used2, done2 = M.feed(pieces, text, M.sizes(i))
  assert(done2 == done, "done only in one way")
  if done then assert(M.told(pieces) == said, "said otherwise in pieces") end
  assert(not head or used2 == used, "used otherwise in pieces")
  local streamed = make()
  local done3, rest = M.feed_stream(streamed, text, i)
  assert((done3 == true) == done, "done otherwise in a stream")
  if done then assert(M.told(streamed) == said, "said otherwise in a stream") end
  assert(not head or rest == text:sub(used + 1), "the rest is not what was left")
  return said, head, used
end

return M
