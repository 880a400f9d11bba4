-- SPDX-License-Identifier: MIT
-- Frames of WebSocket: the bytes of the input as one end receives them, whole, in pieces and
-- through a stream whose reader is cancelled now and then. What is seen is within the rules, and
-- sent again it is seen again.

local hc = require "aio.http.core"
local http = require "http"
local input = require "input"

local LEAST, MOST = 1000, 4999

-- What may be seen, whatever came.
local function check_event(opcode, data, more, max)
  if opcode == 1 or opcode == 2 then
    assert(#data <= max, "above the limit")
    assert(opcode == 2 or more or utf8.len(data), "text that is not UTF-8")
  elseif opcode == 8 then
    assert(more >= LEAST and more <= MOST and #data <= 123 and utf8.len(data), "a wrong end")
  elseif opcode == 0 then
    assert(more == 1002 or more == 1007 or more == 1009, "a wrong code")
    assert(#data > 0 and #data < 100, "no reason")
  else
    assert((opcode == 9 or opcode == 10) and #data <= 125, "another control frame")
  end
end

-- What a reader sees of the text in pieces; whether it is over.
local function seen(reader, text, size, max)
  local events, at = {}, 1
  while at <= #text do
    local piece = text:sub(at, at + size(#text - at + 1) - 1)
    local used = reader:feed(piece)
    local opcode, data, more = reader:take()
    assert(used == #piece or opcode, "bytes were left without a reason")
    at = at + used
    if opcode then
      check_event(opcode, data, more, max)
      events[#events + 1] = ("%d %s %s"):format(opcode, tostring(more), data)
      if opcode == 8 or opcode == 0 then return events, true end
    end
  end
  return events, false
end

local function all(left) return left end

-- The events as frames of the other side.
local function again(events, client)
  local parts = {}
  for _, event in ipairs(events) do
    local opcode, more, data = event:match "^(%d+) (%S+) (.*)$"
    opcode = tonumber(opcode)
    if opcode == 8 then
      data = more ~= "1005" and string.pack(">I2", tonumber(more)) .. data or ""
    end
    local first = 0x80 | opcode | (more == "true" and 0x40 or 0)
    if opcode ~= 0 then
      parts[#parts + 1] = client and hc.ws_frame(first, data) or hc.ws_head(first, #data) .. data
    end
  end
  return table.concat(parts)
end

return input.target(function(i)
  local server, deflate = i:one_in(2), i:one_in(3)
  local max = i:one_in(2) and i:int(0, 300) or 1 << 20
  local size = http.sizes(i)
  local text = i.data:sub(i.at)
  local function make() return hc.ws_reader(server, max, deflate) end
  local events, over = seen(make(), text, all, max)
  local events2, over2 = seen(make(), text, size, max)
  assert(table.concat(events2, "\n") == table.concat(events, "\n") and over2 == over,
    "otherwise in pieces")
  if over and events[#events]:find "^0" then table.remove(events) end
  local events3 = seen(make(), again(events, server), size, max)
  assert(table.concat(events3, "\n") == table.concat(events, "\n"), "otherwise when sent again")
  if #text > 0 then
    local streamed = make()
    local done = http.feed_stream(streamed, text, i)
    assert((done == true) == (#events2 > 0), "done otherwise in a stream")
  end
end)
