-- SPDX-License-Identifier: MIT
--
-- Content codings by their names: gzip, deflate, br, zstd. Decoders in bounded steps, with an end
-- for what grows without measure, and encoders. Each library is loaded when its coding is first
-- used; one that is missing gives one error that says what to install.

require "aio" -- says which lines are not the caller's
local check = require "aio.check"
local content = require "aio.http.content"
local core = require "aio.core"
local optional = require "aio.optional"
local value = require "aio.http.value"

local M = {}

local MOST_CODINGS = 2 -- one inside the other: each may grow by the ratio
local RATIO = 250      -- times what came in, beyond the first MiB
local FREE = 1024 * 1024

--- A body that cannot be decoded: malformed, in a coding that is not known, or grown beyond
--- measure. `status`: what a server answers.
M.ContentCodingError = core.Error:extend "ContentCodingError"

-- Name to library, and functions that make the two directions of it.
local CODINGS = {
  gzip = {
    library = "zlib", decoder = function(zlib) return zlib.inflate "gzip" end,
    encoder = function(zlib, level) return zlib.deflate("gzip", level) end,
  },
  deflate = {
    library = "zlib", decoder = function(zlib) return zlib.inflate "deflate" end,
    encoder = function(zlib, level) return zlib.deflate("zlib", level) end,
  },
  br = {
    library = "brotli", decoder = function(brotli) return brotli.decoder() end,
    encoder = function(brotli, level) return brotli.encoder(level) end,
  },
  zstd = {
    library = "zstd", decoder = function(zstd) return zstd.decoder() end,
    encoder = function(zstd, level) return zstd.encoder(level) end,
  },
}

local ALIASES = { ["x-gzip"] = "gzip" }

local ORDER = { "zstd", "br", "gzip", "deflate" } -- the best first

local function find(name)
  name = name:lower()
  return CODINGS[ALIASES[name] or name]
end

--- The codings that this installation can read and write, the best first.
---@return string[]
function M.codings()
  local names = {}
  for _, name in ipairs(ORDER) do
    if optional.has(CODINGS[name].library) then names[#names + 1] = name end
  end
  return names
end

-- The weight of a coding in a list of parse_accept; nil when it is not in it.
local function weight_of(list, name)
  local any
  for _, item in ipairs(list) do
    local wanted = ALIASES[item.value] or item.value
    if wanted == name then return item.q end
    if wanted == "*" and name ~= "identity" then any = any or item.q end
  end
  return any
end

-- Of the offers those that are taken: first what the client likes best, of equals what comes first
-- among the offers; nothing that it likes less than the plain body.
local function rank(accept, offers)
  local list = value.parse_accept(accept) or {}
  local plain, found = weight_of(list, "identity") or 0, {}
  for place, name in ipairs(offers) do
    local q = weight_of(list, name) or 0
    if q > 0 and q >= plain then found[#found + 1] = { name = name, q = q, place = place } end
  end
  table.sort(found, function(a, b)
    if a.q ~= b.q then return a.q > b.q end
    return a.place < b.place
  end)
  for i, one in ipairs(found) do found[i] = one.name end
  return found
end

--- The codings for a response, the best first: by the Accept-Encoding of the request's headers.
---@param headers table
---@param offers string[] those that may be chosen, the server's favourite first
---@return string[] names empty: as it is
function M.wanted(headers, offers)
  local lines = headers:get_all "accept-encoding"
  return #lines > 0 and rank(table.concat(lines, ", "), offers) or {}
end

--- The coding for a response: of those that are here the first that the client likes best.
---@param accept string|nil an Accept-Encoding; nil: none is wanted
---@param offers? string[] those that may be chosen; all that are here
---@return string|nil name nil: as it is
function M.choose(accept, offers)
  return accept and rank(accept, offers or M.codings())[1] or nil
end

-- ---- decoding ----

-- A decoder that counts what goes in and comes out. The methods are those of aio.zlib.inflate.
local Decoder = {}
Decoder.__index = Decoder

function Decoder:feed(data)
  self._in = self._in + #data
  self._inner:feed(data)
end

function Decoder:read(max)
  if self._grown then return nil, self._grown end
  local data, wrong = self._inner:read(max)
  if not data then return nil, wrong end
  self._out = self._out + #data
  if self._out > FREE and self._out > self._ratio * self._in then
    self._grown = ("it grows to more than %g times its size"):format(self._ratio)
    return nil, self._grown
  end
  return data
end

function Decoder:finished() return self._inner:finished() end

function Decoder:rest() return self._inner:rest() end

--- A decoder: feed(data), read(max), finished(), rest(), as aio.zlib.inflate. Raises RuntimeError
--- when the library is not installed.
---@param name string
---@param ratio? number so many times may it grow, beyond the first MiB; 250
---@return table|nil decoder nil when no such coding is known
function M.decoder(name, ratio)
  local coding = find(name)
  if not coding then return nil end
  local inner = coding.decoder(optional.load(coding.library))
  return setmetatable({ _inner = inner, _in = 0, _out = 0, _ratio = ratio or RATIO }, Decoder)
end

local function raise(message, status, err)
  error(err or M.ContentCodingError(message, { status = status }), 0)
end

-- The names of a Content-Encoding in the order in which they were applied. The text is a peer's.
local function names_of(encoding, fail)
  local names = {}
  for name in encoding:gmatch "[^,%s]+" do
    if name:lower() ~= "identity" then names[#names + 1] = name end
  end
  if #names > MOST_CODINGS then fail("more than two content codings, one in the other", 415) end
  return names
end

--- A function that gives the pieces of a body without its codings.
---@param encoding string the value of Content-Encoding
---@param pull fun(): string|nil gives the pieces with them
---@param fail? fun(message: string, status: integer, err?: any) raises; `err`: a library that is
---missing. Without it ContentCodingError is raised, or that
---@param ratio? number
---@return fun(): string|nil
function M.decoding(encoding, pull, fail, ratio)
  fail = fail or raise
  local names = names_of(encoding, fail)
  for i = #names, 1, -1 do
    local name = names[i]
    local coding = find(name)
    if not coding then fail("a content coding that is not known", 415) end
    local ok, decoder = pcall(M.decoder, name, ratio)
    if not ok then fail("a content coding that cannot be read here", 415, decoder) end
    pull = content.decoded(pull, decoder, function(_, message, status)
      fail(("%s: %s"):format(name:lower(), message), decoder._grown and 413 or status or 400)
    end)
  end
  return pull
end

-- ---- encoding ----

local Encoder = {}
Encoder.__index = Encoder

--- What of the coded bytes comes out for so many bytes.
---@param data string
---@return string
function Encoder:write(data) return self._inner:write(data) end

--- The same, and all that the reader needs for what was written so far.
---@param data? string
---@return string
function Encoder:flush(data) return self._inner:write(data or "", "sync") end

--- The end.
---@param data? string
---@return string
function Encoder:finish(data) return self._inner:write(data or "", "finish") end

--- An encoder: write(data), flush(data), finish(data), each of which gives coded bytes. Raises
--- RuntimeError when the library is not installed.
---@param name string "gzip", "deflate", "br" or "zstd"
---@param level? integer of the library's own
---@return table encoder
function M.encoder(name, level)
  check.arg(type(name) == "string" and find(name), 1, "encoder",
    "\"gzip\", \"deflate\", \"br\" or \"zstd\" expected")
  local coding = find(name)
  return setmetatable({ _inner = coding.encoder(optional.load(coding.library), level) }, Encoder)
end

return M
