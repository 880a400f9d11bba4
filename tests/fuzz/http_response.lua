-- SPDX-License-Identifier: MIT
-- Heads of responses, to requests of every method.

local http = require "http"
local input = require "input"

return input.target(function(i)
  local small, method = i:byte(), i:pick { "GET", "HEAD", "CONNECT" }
  local text = i.data:sub(8)
  local _, head = http.head(i, text, function()
    local p = http.parser({ one_in = function() return small % 2 == 0 end }, "response")
    p:begin(method)
    return p
  end)
  if not head then return end
  local status, length = head[2], head[5]
  assert(status >= 100 and status <= 999, "a wrong status")
  local none = method == "HEAD" or status < 200 or status == 204 or status == 304
  assert(not none or length == 0, "a body where there is none")
end)
