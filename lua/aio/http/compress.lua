-- SPDX-License-Identifier: MIT
--
-- Responses compressed for clients who take it, in the coding that they and we like best, of those
-- whose library is here. By option only: a page that mixes secrets with what an attacker chooses
-- can be guessed by its compressed length (BREACH).

local coding = require "aio.http.coding"
local respond = require "aio.http.respond"
local response = require "aio.http.response"

local M = {}

local LEAST = 1024 -- smaller bodies gain nothing
local FAVOURITES = { "br", "zstd", "gzip", "deflate" } -- what makes text smallest comes first

local TYPES = { "^text/", "[/+]json", "[/+]xml", "javascript", "^application/wasm" }

local function compressible(content_type)
  for _, pattern in ipairs(TYPES) do
    if content_type and content_type:find(pattern) then return true end
  end
  return false
end

local offers

-- The favourites that this installation has: a library that is not here is looked for once.
local function offered()
  if offers then return offers end
  local here = {}
  for _, name in ipairs(coding.codings()) do here[name] = true end
  offers = {}
  for _, name in ipairs(FAVOURITES) do
    if here[name] then offers[#offers + 1] = name end
  end
  return offers
end

local function whole(res, name) res.body = coding.encoder(name):finish(res.body) end

-- Each piece can be read by the client as soon as it has come.
local function piecewise(res, name)
  local encoder = coding.encoder(name)
  res._encoder = function(text)
    if text == nil then return encoder:finish() end
    return encoder:flush(text)
  end
end

-- A tag of what is not byte for byte the same is weak.
local function weaken(h)
  local etag = h["ETag"]
  if etag and not etag:find "^W/" then h["ETag"] = "W/" .. etag end
end

-- Would it gain, and may it be done?
local function suits(req, res, whole_body, least)
  if whole_body and #res.body < (math.tointeger(least) or LEAST) then return false end
  if not whole_body and (not res._fn or res._length or req.minor == 0) then return false end
  if respond.is_bare(res.status) or res.status == 206 then return false end
  local h = res.headers
  return compressible(res.content_type) and not h:has "Content-Encoding"
    and not h:has "Content-Range" and #offered() > 0
end

--- Compresses a response, when it gains and the client takes it.
---@param req table
---@param res table
---@param least boolean|integer true, or the least size
function M.apply(req, res, least)
  local whole_body = getmetatable(res) == response.class
  if not suits(req, res, whole_body, least) then return end
  local h = res.headers
  h:add("Vary", "Accept-Encoding")
  local name = coding.wanted(req.headers, offered())[1]
  if not name then return end
  if whole_body then
    whole(res, name)
  elseif req.method ~= "HEAD" then
    piecewise(res, name)
  end
  h["Content-Encoding"] = name
  weaken(h)
end

return M
