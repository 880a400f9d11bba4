-- SPDX-License-Identifier: MIT
-- Heads of requests: the bytes of the input, in every way; what was taken can be sent again, and
-- says the same then.

local http = require "http"
local input = require "input"

local hc = http.core

-- Sends it on, as a proxy does, in HTTP/1.1, where an expectation means something.
local function send_again(head)
  local headers, method, target, _, length = table.unpack(head)
  local list = {}
  for name, value in pairs(headers) do
    local lower = name:lower()
    if lower ~= "content-length" and lower ~= "transfer-encoding" and lower ~= "expect" then
      list[#list + 1] = name
      list[#list + 1] = value
    end
  end
  local host = not headers.host and "none" or nil
  local text = hc.request_head(method, target, host, list, nil, length, hc.KEEP_ALIVE)
  local p = hc.parser("request", { line = 65535, field = 65535, fields = 500, head = 1 << 20 })
  local used, done = p:feed(text)
  assert(done and used == #text, "what was sent is no message")
  local _, method2, target2, _, length2 = p:head()
  assert(method2 == method and target2 == target and length2 == length, "sent otherwise")
end

return input.target(function(i)
  local small = i:byte()
  local make = function()
    return http.parser({ one_in = function() return small % 2 == 0 end }, "request")
  end
  local n = i:int(0, 3)
  local text = i.data:sub(6 + n)
  local _, head = http.head(i, text, make)
  local foreign = head and head[4] == 0 and head[3]:find "^%a+://"
  if head and not foreign then send_again(head) end
end)
