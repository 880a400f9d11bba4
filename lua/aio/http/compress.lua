-- SPDX-License-Identifier: MIT
--
-- Responses compressed with gzip for clients who take it. By option only: a page that mixes secrets
-- with what an attacker chooses can be guessed by its compressed length (BREACH).

local optional = require "aio.optional"
local accept = require "aio.http.accept"
local respond = require "aio.http.respond"
local response = require "aio.http.response"

local M = {}

local LEAST = 1024 -- smaller bodies gain nothing
local LEVEL = 6

local TYPES = { "^text/", "[/+]json", "[/+]xml", "javascript", "^application/wasm" }

local function compressible(content_type)
  for _, pattern in ipairs(TYPES) do
    if content_type and content_type:find(pattern) then return true end
  end
  return false
end

local function whole(res)
  local deflate = optional.load "zlib".deflate("gzip", LEVEL)
  res.body = deflate:write(res.body, "finish")
end

-- Each piece can be read by the client as soon as it has come.
local function piecewise(res)
  local deflate = optional.load "zlib".deflate("gzip", LEVEL)
  res._encoder = function(text)
    if text == nil then return deflate:write("", "finish") end
    return deflate:write(text, "sync")
  end
end

-- A tag of what is not byte for byte the same is weak.
local function weaken(h)
  local etag = h["ETag"]
  if etag and not etag:find "^W/" then h["ETag"] = "W/" .. etag end
end

--- Compresses a response, when it gains and the client takes it.
---@param req table
---@param res table
---@param least boolean|integer true, or the least size
function M.apply(req, res, least)
  local whole_body = getmetatable(res) == response.class
  if whole_body and #res.body < (math.tointeger(least) or LEAST) then return end
  if not whole_body and (not res._fn or res._length or req.minor == 0) then return end
  if respond.is_bare(res.status) or res.status == 206 or not compressible(res.content_type) then
    return
  end
  local h = res.headers
  if h:has "Content-Encoding" or h:has "Content-Range" then return end
  h:add("Vary", "Accept-Encoding")
  if not accept.takes(accept.codings(req.headers), "gzip") then return end
  if req.method ~= "HEAD" or whole_body then
    (whole_body and whole or piecewise)(res)
  end
  h["Content-Encoding"] = "gzip"
  weaken(h)
end

return M
