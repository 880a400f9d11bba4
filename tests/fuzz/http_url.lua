-- SPDX-License-Identifier: MIT
-- URLs, alone and joined to another: what comes out is made of its parts, has one spelling, and
-- nothing in it that could end a line. Percent coding and queries, there and back.

local hc = require "aio.http.core"
local input = require "input"
local query = require "aio.http.query"
local url = require "aio.http.url"

local PIECES = {
  "http:", "https:", "ws:", "wss:", "//", "/", "\\", "h", "A.b", "u:p@", "@", ":", ":80", ":8080",
  ":65536", "1.2.3.4", "0x7f.1", "[::1]", "[1::2:1.2.3.4]", "[", "]", "::", "..", ".", "%2e", "%",
  "%41", "?", "#", "&x=1", " ", "\t", "\n", "\195\164", "\0", "xn--", "|", "^", "{", "\"", "'",
}

local function text_of(i)
  if i:one_in(4) then return i:take(i:int(0, 60)) end
  local parts = {}
  for n = 1, i:int(0, 12) do parts[n] = i:pick(PIECES) end
  return table.concat(parts)
end

local function put_together(scheme, user, password, host, port, written, path, q, fragment)
  local secret = password and ":" .. password or ""
  local credentials = (user or password) and (user or "") .. secret .. "@" or ""
  return table.concat { scheme, "://", credentials, host, written and ":" .. port or "", path,
    q and "?" .. q or "", fragment and "#" .. fragment or "" }
end

local function check(href, ...)
  assert(put_together(...) == href, "not made of its parts")
  assert(not href:find "[^\33-\126]", "a byte that no URL has")
  assert(hc.url(href) == href, "another spelling")
  local path = select(7, ...)
  assert(path:sub(1, 1) == "/", "no path")
  assert(not (path .. "/"):find "/%.%.?/", "a dot segment is left")
end

return input.target(function(i)
  local base = i:one_in(2) and text_of(i) or nil
  if base and not hc.url(base) then base = nil end
  local text = text_of(i)
  local parts = table.pack(hc.url(text, base))
  if parts[1] then
    check(table.unpack(parts, 1, parts.n))
    local u = url.URL(text, base)
    assert(tostring(u:join "") == parts[1]:gsub("#.*", ""), "joined to nothing it changes")
    assert(tostring(u:with_query(u.query)):find "^%l+://")
  else
    assert(type(parts[2]) == "string" and not pcall(url.URL, text, base))
  end
  local rest = i:take(60)
  for _, where in ipairs { "component", "segment" } do
    assert(hc.percent_decode(hc.percent_encode(rest, where)) == rest, "lost in coding")
  end
  local fields = query.parse_query(rest)
  assert(query.parse_query(query.encode_query(fields)) == fields, "a query changed")
end)
