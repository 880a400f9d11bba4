-- SPDX-License-Identifier: MIT
--
-- permessage-deflate, RFC 7692: what a client offers, what a server takes of it, and what each side
-- then does to messages. No other extension is known.

local check = require "aio.check"
local optional = require "aio.optional"

local M = {}

local NAME = "permessage-deflate"
-- A window of 4 KiB and a small table compress short messages nearly as well as the largest, for
-- 32 KiB a connection instead of 256.
local LEVEL, BITS, MEM_LEVEL = 6, 12, 5
local FULL_BITS, LEAST_BITS = 15, 9 -- zlib does not write windows of 8 bits

local OPTIONS = {
  level = "number", window_bits = "number", mem_level = "number", no_context_takeover = "boolean",
  peer_window_bits = "number", peer_no_context_takeover = "boolean",
}

local function check_range(settings, name, least, most, n, fn)
  local v = settings[name]
  check.arg(v == nil or math.type(v) == "integer" and v >= least and v <= most, n, fn,
    ("option 'compress': '%s' must be an integer from %d to %d"):format(name, least, most))
end

--- The option `compress`: nil without compression, else a table of settings.
---@param value boolean|table|nil
---@param default boolean what nil means; then only where zlib is installed
function M.settings(value, default, n, fn)
  if value == nil then
    if not (default and optional.has "zlib") then return nil end
    value = true
  end
  if value == false then return nil end
  check.arg(value == true or type(value) == "table", n, fn,
    "option 'compress': true, false or a table expected")
  optional.load "zlib"
  local settings = check.options(value ~= true and value or nil, OPTIONS, n, fn)
  check_range(settings, "level", 1, 9, n, fn)
  check_range(settings, "mem_level", 1, 9, n, fn)
  check_range(settings, "window_bits", LEAST_BITS, FULL_BITS, n, fn)
  check_range(settings, "peer_window_bits", LEAST_BITS, FULL_BITS, n, fn)
  return settings
end

-- ---- the header ----

local TOKEN = "[%w!#$%%&'*+%-.^_`|~]+"

-- One parameter from `at` on: name, value (true when there is none), and where it ends.
local function parameter(text, at)
  local name, after = text:match("^[ \t]*(" .. TOKEN .. ")[ \t]*()", at)
  if not name then return nil end
  local value, past = text:match("^=[ \t]*(" .. TOKEN .. ")[ \t]*()", after)
  if not value then value, past = text:match("^=[ \t]*\"(" .. TOKEN .. ")\"[ \t]*()", after) end
  if value then return name:lower(), value, past end
  if text:sub(after, after) == "=" then return nil end
  return name:lower(), true, after
end

--- Reads a Sec-WebSocket-Extensions header: a list of { name=, params=, repeated= }, or nil when it
--- is malformed.
---@param text string
---@return table|nil
function M.parse(text)
  local list, at = {}, 1
  repeat
    local name, value, after = parameter(text, at)
    if value ~= true then return nil end
    local extension = { name = name, params = {} }
    list[#list + 1] = extension
    while text:sub(after, after) == ";" do
      name, value, after = parameter(text, after + 1)
      if not name then return nil end
      extension.repeated = extension.repeated or extension.params[name] ~= nil
      extension.params[name] = value
    end
    if after > #text then return list end
    if text:sub(after, after) ~= "," then return nil end
    at = after + 1
  until false
end

local function bits_of(value)
  if type(value) ~= "string" or not value:find("^[1-9]%d?$") then return nil end
  local bits = tonumber(value)
  return bits >= 8 and bits <= FULL_BITS and bits or nil
end

-- The parameters of one offer or answer, understood; nil when they are not allowed.
local function understand(extension, answer)
  if extension.name ~= NAME or extension.repeated then return nil end
  local p, known = extension.params, {}
  for name, value in pairs(p) do
    if name == "server_no_context_takeover" or name == "client_no_context_takeover" then
      if value ~= true then return nil end
      known[name] = true
    elseif name == "client_max_window_bits" and value == true and not answer then
      known[name] = FULL_BITS
    elseif name == "server_max_window_bits" or name == "client_max_window_bits" then
      known[name] = bits_of(value)
      if not known[name] then return nil end
    else
      return nil
    end
  end
  return known
end

-- ---- both sides ----

-- What a side does: how it compresses, and what the other's messages need.
local function agreed(settings, write_bits, write_fresh, read_bits, read_fresh)
  return {
    level = settings.level or LEVEL, mem_level = settings.mem_level or MEM_LEVEL,
    write_bits = math.min(settings.window_bits or BITS, write_bits or FULL_BITS),
    write_fresh = write_fresh or settings.no_context_takeover or false,
    read_bits = read_bits or FULL_BITS, read_fresh = read_fresh or false,
  }
end

local function answer_text(known, fresh, peer_fresh, peer_bits)
  local parts = { NAME }
  if fresh then parts[#parts + 1] = "server_no_context_takeover" end
  if peer_fresh then parts[#parts + 1] = "client_no_context_takeover" end
  if known.server_max_window_bits then
    parts[#parts + 1] = "server_max_window_bits=" .. known.server_max_window_bits
  end
  if peer_bits then parts[#parts + 1] = "client_max_window_bits=" .. peer_bits end
  return table.concat(parts, "; ")
end

-- An answer to one offer that is understood.
local function take(known, settings)
  local fresh = known.server_no_context_takeover or settings.no_context_takeover
  local peer_fresh = known.client_no_context_takeover or settings.peer_no_context_takeover
  local peer_bits = known.client_max_window_bits
  if peer_bits then peer_bits = math.min(peer_bits, settings.peer_window_bits or FULL_BITS) end
  return answer_text(known, fresh, peer_fresh, peer_bits), agreed(settings,
    known.server_max_window_bits, fresh, peer_bits, peer_fresh)
end

--- A server looks at what a client offers: the answer for its header and what was agreed on, or
--- nil. The first offer that can be taken is.
---@param header string|nil
---@param settings table|nil
---@return string|nil answer
---@return table|nil agreed
function M.accept(header, settings)
  if not (header and settings) then return nil end
  for _, extension in ipairs(M.parse(header) or {}) do
    local known = understand(extension, false)
    if known then return take(known, settings) end
  end
  return nil
end

--- What a client offers.
---@param settings table
---@return string
function M.offer(settings)
  local parts = { NAME }
  if settings.peer_no_context_takeover then parts[#parts + 1] = "server_no_context_takeover" end
  if settings.no_context_takeover then parts[#parts + 1] = "client_no_context_takeover" end
  if settings.peer_window_bits then
    parts[#parts + 1] = "server_max_window_bits=" .. settings.peer_window_bits
  end
  parts[#parts + 1] = "client_max_window_bits"
  return table.concat(parts, "; ")
end

-- Has the server taken what was asked of it?
local function keeps(known, settings)
  if settings.peer_no_context_takeover and not known.server_no_context_takeover then
    return false
  end
  return not settings.peer_window_bits
    or (known.server_max_window_bits or FULL_BITS) <= settings.peer_window_bits
end

--- A client looks at a server's answer: true and what was agreed on (nil: nothing), or false when
--- the answer is not one to its offer.
---@param header string|nil
---@param settings table|nil
---@return boolean ok
---@return table|nil agreed
function M.confirm(header, settings)
  if not header then return true, nil end
  local list = M.parse(header)
  if not (list and settings and #list == 1) then return false end
  local known = understand(list[1], true)
  if not known or not keeps(known, settings) then return false end
  return true, agreed(settings, known.client_max_window_bits, known.client_no_context_takeover,
    known.server_max_window_bits, known.server_no_context_takeover)
end

-- ---- messages ----

local Codec = {}
Codec.__index = Codec

--- What compresses and decompresses the messages of one connection. zlib's memory is taken at the
--- first message of each direction.
function M.codec(terms)
  return setmetatable({ _terms = terms, _zlib = optional.load "zlib" }, Codec)
end

--- A message as it is sent compressed; nil when the window that was agreed on is too small for
--- zlib.
---@param data string
---@return string|nil
function Codec:compress(data)
  local terms, deflate = self._terms, self._deflate
  if terms.write_bits < LEAST_BITS then return nil end
  if not deflate then
    deflate = self._zlib.deflate("raw", terms.level, terms.write_bits, terms.mem_level)
    self._deflate = deflate
  end
  local out = deflate:write(data, "message")
  if terms.write_fresh then deflate:reset() end
  return out
end

--- A message that came compressed: at most `max` bytes, or nil, and the code that closes the
--- connection and why.
---@param data string
---@param max integer
---@return string|nil
function Codec:decompress(data, max)
  local terms, inflate = self._terms, self._inflate
  if not inflate then
    inflate = self._zlib.inflate("raw", terms.read_bits)
    self._inflate = inflate
  end
  inflate:feed(data, true)
  local text, err = inflate:read(max + 1)
  local more = text and #text > max
  if text and not more then more, err = inflate:read(1) end
  if more then return nil, 1009, "message above the limit" end
  if err then return nil, 1007, "compressed message: " .. err end
  if terms.read_fresh then inflate:reset() end
  return text or ""
end

return M
