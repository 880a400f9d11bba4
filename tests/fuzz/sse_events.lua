-- SPDX-License-Identifier: MIT
-- Server-sent events: the bytes of the input whole and in pieces, and by a second way: lines cut by
-- patterns.

local event_parser = require "aio.http.event_parser"
local http = require "http"
local input = require "input"

local function seen(text, size)
  local parser, events, at = event_parser.new(), {}, 1
  while at <= #text do
    local n = size(#text - at + 1)
    parser:feed(text:sub(at, at + n - 1))
    at = at + n
    for event in function() return parser:next() end do
      events[#events + 1] = ("%q %q %q %s"):format(event.event, event.data, event.id,
        tostring(event.retry))
    end
  end
  return table.concat(events, "\n")
end

-- The same as the standard's text has it, for a whole stream.
local function expected(text)
  local events, data, kind, id, retry = {}, "", "", "", nil
  text = text:gsub("^\xef\xbb\xbf", ""):gsub("\r\n", "\n"):gsub("\r", "\n")
  for line in text:gmatch "([^\n]*)\n" do
    local name, value = line:match "^([^:]*):(.*)$"
    if not name then name, value = line, "" end
    value = value:gsub("^ ", "")
    if line == "" then
      if data ~= "" then
        events[#events + 1] = ("%q %q %q %s"):format(kind == "" and "message" or kind,
          data:sub(1, -2), id, tostring(retry))
      end
      data, kind = "", ""
    elseif name == "data" then
      data = data .. value .. "\n"
    elseif name == "event" then
      kind = value
    elseif name == "id" and not value:find "\0" then
      id = value
    elseif name == "retry" and value:find "^%d+$" then
      retry = math.tointeger(tonumber(value)) or retry
    end
  end
  return table.concat(events, "\n")
end

local function all(left) return left end

return input.target(function(i)
  local size = http.sizes(i)
  local text = i.data:sub(i.at)
  local whole = seen(text, all)
  assert(whole == expected(text), "not as the standard says")
  assert(seen(text, size) == whole, "otherwise in pieces")
end)
