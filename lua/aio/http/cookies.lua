-- SPDX-License-Identifier: MIT
--
-- The cookies of a client: RFC 6265 with what browsers have added since (RFC 6265bis): secure ones
-- are not set without TLS, the prefixes __Secure- and __Host- mean what they say, and no host sets
-- any for a domain under which strangers have theirs. Files are in cookie_file.lua.
--
-- A domain has a list of its cookies, each a plain table: name, value, domain, path, host_only,
-- secure, httponly, samesite, expires (seconds since 1970, nil: the end of the session), created.

local core = require "aio.core"
local check = require "aio.check"
local suffix = require "aio.http.suffix"

local M = {}

local MAX_BYTES = 4096 -- of name and value
local MAX_IN_DOMAIN, MAX_IN_ALL = 180, 3000
local LONGEST = 400 * 86400 -- seconds that a cookie may live, as in browsers

local CookieJar = { _kind = "the cookie jar" }
CookieJar.__index = CookieJar
CookieJar.__name = "CookieJar"

local OPTIONS = {
  unsafe = "boolean", treat_as_secure_origin = "table", is_public_suffix = "function",
  clock = "function",
}

--- A jar for ClientSession{cookie_jar=}.
---@param opts? table unsafe (false; true: takes cookies of hosts that are addresses),
---  treat_as_secure_origin (list of origins such as "http://localhost:8080" that get secure cookies
---  without TLS), is_public_suffix (function of a domain: is it one under which strangers have
---  theirs? by default a short list and all without a dot), clock (os.time)
---@return table CookieJar
function M.CookieJar(opts)
  opts = check.options(opts, OPTIONS, 1, "CookieJar")
  local origins = {}
  for _, origin in ipairs(opts.treat_as_secure_origin or {}) do origins[origin] = true end
  return setmetatable({
    _domains = {}, _count = 0, _serial = 0, _unsafe = opts.unsafe or false,
    _origins = origins, _is_public = opts.is_public_suffix or suffix.is_public,
    _clock = opts.clock or os.time,
  }, CookieJar)
end

local is_address = function(host) return core._numeric(host, 0) ~= nil end

-- What the jar asks of a URL: host in lower case, raw path, and whether secure cookies go there.
local function place_of(self, url)
  local scheme = url.scheme
  local secure = scheme == "https" or scheme == "wss"
  if not secure and next(self._origins) then secure = self._origins[tostring(url:origin())] end
  local path = url.raw_path
  return (url.host:lower():gsub("%.$", "")), path ~= "" and path or "/", secure or false
end

-- Section 5.1.4: the folder of the path.
local function default_path(path)
  if path:sub(1, 1) ~= "/" then return "/" end
  local folder = path:match("^(/.*)/[^/]*$")
  return folder or "/"
end

local function path_matches(path, wanted)
  if path == wanted then return true end
  if path:sub(1, #wanted) ~= wanted then return false end
  return wanted:sub(-1) == "/" or path:sub(#wanted + 1, #wanted + 1) == "/"
end

local function is_below(host, domain)
  return host:sub(-#domain - 1) == "." .. domain and not is_address(host)
end

-- ---- the store ----

local function remove_at(self, domain, list, i)
  table.remove(list, i)
  self._count = self._count - 1
  if #list == 0 then self._domains[domain] = nil end
end

-- Drops what `wanted` is true for.
local function sweep(self, wanted)
  for domain, list in pairs(self._domains) do
    for i = #list, 1, -1 do
      if wanted(list[i]) then remove_at(self, domain, list, i) end
    end
  end
end

local function drop_expired(self)
  local now = self._clock()
  sweep(self, function(cookie) return cookie.expires and cookie.expires <= now end)
end

local function oldest_in(list)
  local oldest = 1
  for i = 2, #list do
    if list[i].created < list[oldest].created then oldest = i end
  end
  return oldest
end

-- Makes room for one more cookie of the domain.
local function make_room(self, domain)
  local list = self._domains[domain]
  if (list and #list or 0) < MAX_IN_DOMAIN and self._count < MAX_IN_ALL then return end
  drop_expired(self)
  list = self._domains[domain]
  if list and #list >= MAX_IN_DOMAIN then remove_at(self, domain, list, oldest_in(list)) end
  if self._count < MAX_IN_ALL then return end
  local from, at
  for name, other in pairs(self._domains) do
    local i = oldest_in(other)
    if not at or other[i].created < self._domains[from][at].created then from, at = name, i end
  end
  remove_at(self, from, self._domains[from], at)
end

local function find(list, cookie)
  for i, other in ipairs(list or {}) do
    if other.name == cookie.name and other.path == cookie.path then return i end
  end
end

-- Puts it in the place of the one of the same name, domain and path; an expired one removes that.
local function put(self, cookie)
  local domain = cookie.domain
  local list = self._domains[domain]
  local i = find(list, cookie)
  if i then
    cookie.created = list[i].created
    remove_at(self, domain, list, i)
  end
  if cookie.expires and cookie.expires <= self._clock() then return end
  make_room(self, domain)
  self._serial = self._serial + 1
  cookie.created = cookie.created or self._serial
  list = self._domains[domain]
  if not list then
    list = {}
    self._domains[domain] = list
  end
  list[#list + 1] = cookie
  self._count = self._count + 1
end

-- ---- what servers set ----

-- Section 5.3, steps 4 to 6: the domain, and whether it is this host's alone; nil: refused.
local function domain_of(self, wanted, host)
  if is_address(host) and not self._unsafe then return nil end
  wanted = wanted and wanted:lower():gsub("^%.", ""):gsub("%.$", "") or ""
  if wanted == "" or wanted == host then
    return host, wanted == "" or is_address(host) or self._is_public(host)
  end
  if not is_below(host, wanted) or is_address(wanted) or self._is_public(wanted) then return nil end
  return wanted, false
end

local function expiry_of(self, set)
  local now = self._clock()
  if set.max_age then return set.max_age <= 0 and 0 or now + math.min(set.max_age, LONGEST) end
  return set.expires and math.min(set.expires, now + LONGEST)
end

-- Is there a secure cookie that one without TLS would hide or replace?
local function hides_secure(self, cookie)
  for _, other in ipairs(self._domains[cookie.domain] or {}) do
    if other.secure and other.name == cookie.name and path_matches(cookie.path, other.path) then
      return true
    end
  end
  return false
end

-- What the name promises.
local function keeps_promise(cookie, secure, has_path)
  local name = cookie.name:lower()
  if name:find("__secure-", 1, true) == 1 then return cookie.secure and secure end
  if name:find("__host-", 1, true) == 1 then
    return cookie.secure and secure and cookie.host_only and has_path and cookie.path == "/"
  end
  return true
end

-- What has to be quoted in a Cookie header, and cannot be.
local function is_sendable(name, value)
  return name ~= "" and not name:find("[%c;=%s]") and not value:find("[%c;]")
    and #name + #value <= MAX_BYTES
end

-- Takes what a server has set, or refuses it without a word.
local function take(self, set, host, path, secure)
  local domain, host_only = domain_of(self, set.domain, host)
  local has_path = set.path ~= nil and set.path:sub(1, 1) == "/"
  local cookie = {
    name = set.name, value = set.value, domain = domain, host_only = host_only or nil,
    path = has_path and set.path or default_path(path), secure = set.secure or nil,
    httponly = set.httponly or nil, samesite = set.samesite, expires = expiry_of(self, set),
  }
  if not domain or not is_sendable(cookie.name, cookie.value) then return false end
  if cookie.secure and not secure then return false end
  if not keeps_promise(cookie, secure, has_path) then return false end
  if not secure and hides_secure(self, cookie) then return false end
  put(self, cookie)
  return true
end

--- Takes the cookies that `url` has set: those that it may not set are left out without a word.
---@param cookies table map of names to values, or list of tables { name=, value=, domain=, path=,
---  max_age=, expires=, secure=, httponly=, samesite= }
---@param url table|string http.URL
function CookieJar:update_cookies(cookies, url)
  check.self(self, CookieJar, "update_cookies")
  check.arg(type(cookies) == "table", 1, "update_cookies",
    "map of cookies, or list of them, expected, got " .. type(cookies))
  local host, path, secure = place_of(self, M._url(url, 2, "update_cookies"))
  for key, set in pairs(cookies) do
    if type(set) ~= "table" then set = { name = key, value = tostring(set) } end
    check.arg(type(set.name) == "string" and type(set.value) == "string", 1, "update_cookies",
      "a cookie has a name and a value, both strings")
    take(self, set, host, path, secure)
  end
end

-- ---- what is sent ----

local function earlier(a, b)
  if #a.path ~= #b.path then return #a.path > #b.path end
  return a.created < b.created
end

-- Adds those of one domain that go to the place.
local function collect(self, domain, exact, path, secure, found)
  local list, now = self._domains[domain], self._clock()
  for i = #(list or ""), 1, -1 do
    local cookie = list[i]
    if cookie.expires and cookie.expires <= now then
      remove_at(self, domain, list, i)
    elseif (exact or not cookie.host_only) and (secure or not cookie.secure)
        and path_matches(path, cookie.path) then
      found[#found + 1] = cookie
    end
  end
end

--- The cookies that go to `url`, in the order in which they are sent.
---@param url table|string http.URL
---@return table list of cookies
function CookieJar:filter_cookies(url)
  check.self(self, CookieJar, "filter_cookies")
  local found = {}
  if self._count == 0 then return found end
  local host, path, secure = place_of(self, M._url(url, 1, "filter_cookies"))
  if is_address(host) and not self._unsafe then return found end
  collect(self, host, true, path, secure, found)
  local parent = not is_address(host) and host:match("%.(.+)$")
  while parent do
    collect(self, parent, false, path, secure, found)
    parent = parent:match("%.(.+)$")
  end
  table.sort(found, earlier)
  return found
end

-- ---- looking at it, and emptying it ----

--- Removes all cookies, or those for which the function is true.
---@param predicate? fun(cookie: table): boolean
function CookieJar:clear(predicate)
  check.self(self, CookieJar, "clear")
  if predicate then return sweep(self, predicate) end
  self._domains, self._count = {}, 0
end

--- Removes the cookies of a domain and of those below it.
---@param domain string
function CookieJar:clear_domain(domain)
  check.self(self, CookieJar, "clear_domain")
  check.arg(type(domain) == "string", 1, "clear_domain", "domain expected, got " .. type(domain))
  domain = domain:lower():gsub("^%.", "")
  sweep(self, function(cookie)
    return cookie.domain == domain or is_below(cookie.domain, domain)
  end)
end

--- An iterator over all cookies that have not expired: `for cookie in jar:cookies() do`.
---@return function
function CookieJar:cookies()
  check.self(self, CookieJar, "cookies")
  drop_expired(self)
  local all, i = {}, 0
  for _, list in pairs(self._domains) do table.move(list, 1, #list, #all + 1, all) end
  table.sort(all, function(a, b) return a.created < b.created end)
  return function()
    i = i + 1
    return all[i]
  end
end

--- How many there are; some may have expired.
function CookieJar:__len() return self._count end

function CookieJar:__tostring() return ("CookieJar (%d cookies)"):format(self._count) end

--- Writes the cookies to a file that only its owner can read, those of the session too. [suspends]
--- Raises OSError.
---@param path string
function CookieJar:save(path)
  check.self(self, CookieJar, "save")
  require("aio.http.cookie_file").save(self, path)
end

--- Adds the cookies of such a file. [suspends] Raises OSError, or RuntimeError when it is none.
---@param path string
function CookieJar:load(path)
  check.self(self, CookieJar, "load")
  require("aio.http.cookie_file").load(self, path, put, is_sendable)
end

-- ---- none at all ----

local DummyCookieJar = { _count = 0 }
DummyCookieJar.__index = DummyCookieJar
DummyCookieJar.__name = "DummyCookieJar"

--- A jar that takes nothing and gives nothing.
---@return table DummyCookieJar
function M.DummyCookieJar() return setmetatable({}, DummyCookieJar) end

--- Takes nothing.
function DummyCookieJar:update_cookies() check.self(self, DummyCookieJar, "update_cookies") end

--- Gives nothing.
---@return table empty list
function DummyCookieJar:filter_cookies()
  check.self(self, DummyCookieJar, "filter_cookies")
  return {}
end

--- Can this be a session's jar? Any object with these two methods can.
function M.is_jar(v)
  local ok, update, filter = pcall(function() return v.update_cookies, v.filter_cookies end)
  return ok and check.callable(update) and check.callable(filter)
end

--- The value of a Cookie header; `name` and `n` are whose argument it is when it cannot be one.
---@param list table of { name=, value= }
---@return string
function M.header(list, n, name)
  local parts = {}
  for i, cookie in ipairs(list) do
    if not is_sendable(cookie.name, cookie.value) then
      check.argerror(n, name, ("cookie '%s': names without '=', ';' and spaces, values without ';' "
        .. "and controls, and at most %d bytes of both expected"):format(
        (cookie.name:sub(1, 40):gsub("[%c\127-\255]", "?")), MAX_BYTES))
    end
    parts[i] = cookie.name .. "=" .. cookie.value
  end
  return table.concat(parts, "; ")
end

M.class, M.dummy_class = CookieJar, DummyCookieJar

-- An http.URL of an argument.
function M._url(url, n, name) return require("aio.http.target").url(url, n, name) end

return M
