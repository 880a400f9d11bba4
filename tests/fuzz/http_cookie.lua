-- SPDX-License-Identifier: MIT
-- Both headers of cookies from anywhere; what can be written is read as the same. And the other
-- values of headers: whatever they are, nothing is raised.

local cookie = require "aio.http.cookie"
local input = require "input"
local value = require "aio.http.value"

-- One dot before a domain is taken away, so another one would not stay.
local function again(c)
  if c.domain and c.domain:sub(1, 1) == "." then return end
  local attrs = {
    domain = c.domain, path = c.path, max_age = c.max_age, expires = c.expires,
    secure = c.secure, httponly = c.httponly, samesite = c.samesite, partitioned = c.partitioned,
  }
  local ok, line = pcall(cookie.set_cookie, c.name, c.value, attrs)
  if not ok then return end
  assert(not line:find "[%c\127-\255]", "a control in what is sent")
  local other = cookie.parse_set_cookie(line)
  for k, v in pairs(c) do
    local same = k == "samesite" and other[k]:lower() == v:lower() or other[k] == v
    assert(same, k .. " changed")
  end
end

local READERS = {
  value.parse_accept, value.parse_content_type, value.parse_content_disposition,
  value.parse_links, value.parse_etags, value.parse_date,
  function(text) return value.parse_range(text, 1000) end,
  function(text) return value.if_range(text, '"a"', 0) end,
  function(text) return value.negotiate(text, { "a/b", "c" }) end,
}

local function ranges(text)
  local list = value.parse_range("bytes=" .. text, 1000)
  for _, range in ipairs(list or {}) do
    assert(range[1] >= 0 and range[1] <= range[2] and range[2] < 1000, "a range beyond the end")
  end
end

return input.target(function(i)
  local text = i.data
  local c = cookie.parse_set_cookie(text)
  if c then
    assert(c.name ~= "" and #c.name + #c.value <= 4096)
    assert(not c.path or c.path:sub(1, 1) == "/")
    again(c)
  end
  for name, v in pairs(cookie.parse_cookie(text)) do
    assert(name ~= "" and not name:find "[;=]" and not v:find(";", 1, true))
  end
  for _, read in ipairs(READERS) do read(text) end
  ranges(text)
  local seconds = value.parse_date(text)
  assert(not seconds or value.parse_date(value.http_date(seconds)) == seconds, "another date")
end)
