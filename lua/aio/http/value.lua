-- SPDX-License-Identifier: MIT
--
-- What values of headers mean: types, lists with preferences, ranges, entity tags, links, names of
-- files, dates. A value from a peer that makes no sense gives nil, never an error.

local hc = require "aio.http.core"
local check = require "aio.check"

local M = {}

local MOST_VALUES = 100 -- of a list; a header with more is as one that is not there
local MOST_RANGES = 16

--- A date as headers have it.
---@param seconds? number since 1970; now
---@return string
M.http_date = hc.http_date

--- Reads a date in any of the three forms of HTTP.
---@param text string
---@return integer|nil seconds since 1970
M.parse_date = hc.parse_date

local function text_arg(text, name)
  check.arg(type(text) == "string", 1, name, "string expected, got " .. type(text))
  return text
end

--- What stands in quotes, where a backslash is before what is to be taken as it is.
---@param text string
---@param at integer behind the first quote
---@return string
---@return integer at behind the last one, or behind the text
function M.unquoted(text, at)
  local parts = {}
  while true do
    local run, stop, behind = text:match('^([^"\\]*)(["\\]?)()', at)
    parts[#parts + 1], at = run, behind
    if stop ~= "\\" then return table.concat(parts), at end
    parts[#parts + 1], at = text:sub(at, at), math.min(at + 1, #text + 1)
  end
end

-- ---- types ----

local TOKEN = "[%w!#$%%&'*+.^_`|~-]+"
local TYPE = "^" .. TOKEN .. "/" .. TOKEN .. "$"

--- Reads a Content-Type.
---@param text string
---@return string|nil type in lower case, without parameters
---@return table<string, string>|nil params names in lower case
function M.parse_content_type(text)
  local value, params = hc.parse_params(text_arg(text, "parse_content_type"))
  if not value or not value:find(TYPE) then return nil end
  return value:lower(), params
end

-- ---- lists with preferences ----

local function quality(text)
  if not text then return 1 end
  local q = text:find "^[01]%.?%d*$" and tonumber(text)
  return q and q <= 1 and q or nil
end

--- Reads Accept, Accept-Encoding, Accept-Language, Accept-Charset.
---@param text string
---@return table[]|nil list { value=, q=, params= }, the dearest first; those that are refused have
---q = 0
function M.parse_accept(text)
  local flat = hc.parse_list(text_arg(text, "parse_accept"), MOST_VALUES)
  if not flat then return nil end
  local list = {}
  for i = 1, #flat, 2 do
    local params = flat[i + 1]
    local q = quality(params.q)
    params.q = nil
    if q then
      list[#list + 1] = { value = flat[i]:lower(), q = q, params = params, place = i }
    end
  end
  table.sort(list, function(a, b)
    if a.q ~= b.q then return a.q > b.q end
    return a.place < b.place
  end)
  for _, item in ipairs(list) do item.place = nil end
  return list
end

-- How closely a range of an Accept header names an offer: 0 not at all.
local function closeness(range, offer)
  if range == offer then return 3 end
  local major = range:match "^([^/]+)/%*$"
  if major and offer:find(major .. "/", 1, true) == 1 then return 2 end
  return (range == "*/*" or range == "*") and 1 or 0
end

local function preference(list, offer)
  local q, best = 0, 0
  for _, item in ipairs(list) do
    local close = closeness(item.value, offer)
    if close > best then q, best = item.q, close end
  end
  return q
end

--- Chooses what to send.
---@param accept string|nil an Accept header, or one of its kind; nil: anything is welcome
---@param offers string[] what there is, the best first
---@return string|nil offer nil when none of them is welcome
function M.negotiate(accept, offers)
  if not accept then return offers[1] end
  local list, chosen, most = M.parse_accept(accept) or {}, nil, 0
  for _, offer in ipairs(offers) do
    local q = preference(list, offer:lower())
    if q > most then chosen, most = offer, q end
  end
  return chosen
end

-- ---- ranges ----

-- One range of a size: first and last byte from 0, or nil when it is malformed; false when there is
-- nothing in it.
local function one_range(text, size)
  local first, last = text:match "^(%d*)%-(%d*)$"
  if not first or #first > 18 or #last > 18 then return nil end
  if first == "" then
    local n = math.tointeger(tonumber(last))
    if not n then return nil end
    if n == 0 or size == 0 then return false end
    return { math.max(size - n, 0), size - 1 }
  end
  first, last = math.tointeger(tonumber(first)), math.tointeger(tonumber(last))
  if last and last < first then return nil end
  if first >= size then return false end
  return { first, math.min(last or size - 1, size - 1) }
end

--- Reads a Range header for something of `size` bytes.
---@param text string
---@param size integer
---@return table[]|false|nil ranges { first, last }, counted from 0, both in it; false when none of
---them has a byte (416); nil when the header is to be ignored: malformed, another unit, too many
function M.parse_range(text, size)
  local list = text_arg(text, "parse_range"):match "^%s*[Bb][Yy][Tt][Ee][Ss]%s*=(.*)$"
  if not list then return nil end
  local ranges, n = {}, 0
  for part in (list .. ","):gmatch "([^,]*)," do
    part = part:match "^[ \t]*(.*[^ \t])" -- in linear time, unlike with "(.-)"
    if part then
      n = n + 1
      local range = one_range(part, size)
      if range == nil or n > MOST_RANGES then return nil end
      if range then ranges[#ranges + 1] = range end
    end
  end
  if n == 0 then return nil end
  return #ranges > 0 and ranges
end

-- ---- entity tags ----

-- An entity tag, whether it is weak, and what follows it.
local function take_etag(text)
  local weak, tag, rest = text:match '^%s*(W?/?)"([^"%c]*)"%s*(.*)$'
  if not tag or weak ~= "" and weak ~= "W/" then return nil end
  return tag, weak == "W/", rest
end

--- Reads If-Match or If-None-Match.
---@param text string
---@return table[]|string|nil tags { tag=, weak= }; "*" for any; nil when it is malformed
function M.parse_etags(text)
  text = text_arg(text, "parse_etags")
  if text:find "^%s*%*%s*$" then return "*" end
  local list = {}
  repeat
    local tag, weak, rest = take_etag(text)
    if not tag or #list == MOST_VALUES then return nil end
    list[#list + 1] = { tag = tag, weak = weak }
    if rest ~= "" and rest:sub(1, 1) ~= "," then return nil end
    text = rest:sub(2)
  until not text:find "%S"
  return list
end

--- Is an entity tag among those of parse_etags?
---@param tags table[]|string|nil
---@param etag string|nil as a header has it: '"abc"' or 'W/"abc"'; nil: there is nothing
---@param weakly? boolean weak ones count too: for If-None-Match
---@return boolean
function M.has_etag(tags, etag, weakly)
  if not tags or not etag then return false end
  if tags == "*" then return true end
  local tag, weak = take_etag(etag)
  for _, other in ipairs(tags) do
    if other.tag == tag and (weakly or not (weak or other.weak)) then return true end
  end
  return false
end

--- Does an If-Range header allow a part to be sent?
---@param text string|nil the header; nil: it does
---@param etag string|nil of what there is
---@param modified number|nil when it was last modified, in seconds since 1970
---@return boolean
function M.if_range(text, etag, modified)
  if not text then return true end
  local tag, weak = take_etag(text)
  if tag then return not weak and etag == ('"%s"'):format(tag) end
  local seconds = hc.parse_date(text)
  return seconds ~= nil and modified ~= nil and math.floor(modified) == seconds
end

-- ---- names of files, links ----

-- name*=UTF-8''%e2%82%ac (RFC 8187), or nil.
local function extended(text)
  local charset, value = text:match "^([%w-]+)'[^']*'(.*)$"
  if not charset then return nil end
  charset = charset:lower()
  local bytes = hc.percent_decode(value)
  if charset == "utf-8" then return utf8.len(bytes) and bytes or nil end
  if charset ~= "iso-8859-1" then return nil end
  return (bytes:gsub("[\128-\255]", function(c) return utf8.char(c:byte()) end))
end

-- The parameters, what the names with a star say in the place of those without.
local function prefer_extended(params)
  local all = {}
  for name, value in pairs(params) do
    if not name:find "%*$" then all[name] = value end
  end
  for name, value in pairs(params) do
    local plain = name:match "^(.+)%*$"
    local text = plain and extended(value)
    if text then all[plain] = text end
  end
  return all
end

--- Reads a Content-Disposition.
---@param text string
---@return string|nil kind "attachment", "inline", "form-data", in lower case
---@return table<string, string>|nil params `filename` as it was sent: never a path to write to
function M.parse_content_disposition(text)
  local kind, params = hc.parse_params(text_arg(text, "parse_content_disposition"), "path")
  if not kind or not kind:find("^" .. TOKEN .. "$") then return nil end
  return kind:lower(), prefer_extended(params)
end

--- Reads a Link header.
---@param text string
---@return table[]|nil links { url=, rel=, params= }: `url` as it stands there
function M.parse_links(text)
  local flat = hc.parse_list(text_arg(text, "parse_links"), MOST_VALUES)
  if not flat then return nil end
  local links = {}
  for i = 1, #flat, 2 do
    local url = flat[i]:match "^<([^>]*)>$"
    if url then
      local params = prefer_extended(flat[i + 1])
      links[#links + 1] = { url = url, rel = params.rel, params = params }
    end
  end
  return links
end

return M
