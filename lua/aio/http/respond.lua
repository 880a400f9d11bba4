-- SPDX-License-Identifier: MIT
--
-- From what a handler returns, or raises, to bytes on the connection. Called by aio.http.serve;
-- what streams a body (aio.http.stream, aio.http.file) comes here for its head.

local core = require "aio.core"
local http_core = require "aio.http.core"
local exceptions = require "aio.http.exceptions"
local headers = require "aio.http.headers"
local response = require "aio.http.response"
local upgraded = require "aio.http.upgraded"

local M = {}

local response_head = http_core.response_head
local KEEP_ALIVE, HTTP10 = http_core.KEEP_ALIVE, http_core.HTTP10
local Response = response.class
local getmetatable, type = getmetatable, type
local SMALL = 1400 -- bytes: copying is quicker than sending two pieces
local TEXT = "text/plain; charset=utf-8"

--- `answer_simply(parser, res)`: sends a short plain response at once, and turns to the next
--- request; whether the client takes it, and the bytes of the body. Nothing, and nothing is done,
--- when it is not so simple. `as_response(res)`: a string as a response, a Response as it is, or
--- nothing.
local answer_simply, as_response = http_core.answerer(Response)
M.answer_simply, M.as_response = answer_simply, as_response

-- What a handler's own Connection names, but for whether the connection goes on: that it can only
-- end.
local function named_of(c, h)
  local names = {}
  for name in table.concat(h:get_all "Connection", ","):gmatch "[^,%s]+" do
    local small = name:lower()
    if small == "close" then
      c.quit, c.special = true, true
    elseif small ~= "keep-alive" then
      names[#names + 1] = name
    end
  end
  return names
end

-- A copy of the headers, in which Connection says what the server does.
local function with_connection(h, names, flags)
  h = headers.Headers(h)
  if #names == 0 then -- the head gets what is to be said anyway
    h["Connection"] = nil
    return h
  end
  local stays = flags & KEEP_ALIVE ~= 0
  if not stays then names[#names + 1] = "close" end
  if stays and flags & HTTP10 ~= 0 then names[#names + 1] = "keep-alive" end
  h["Connection"] = table.concat(names, ", ")
  return h
end

--- The flags of a response's head: those of the request, as far as the connection goes on; and the
--- headers.
local function flags_of(c, h)
  local names = h and h["Connection"] and named_of(c, h)
  if c.settings.closing or c.left ~= 0 and not c:can_finish_body() then
    c.quit, c.special = true, true
  end
  local flags = c.quit and c.flags & ~KEEP_ALIVE or c.flags
  return flags, names and with_connection(h, names, flags) or h or nil
end

--- Has a response with this status never a body?
local function is_bare(status)
  return status < 200 or status > 203 and (status == 204 or status == 205 or status == 304)
end

M.is_bare = is_bare

--- The length that is told of no body: with 205 it has to be, with the others it must not.
local function bare_length(status) return status == 205 and 0 or nil end

M.bare_length = bare_length

--- Sends a response whose body is in memory. [suspends only when the client is slow]
---@param h table|nil|false headers
function M.send(c, req, status, reason, h, content_type, body)
  local length, conn = #body, c.conn
  local flags, below
  flags, h = flags_of(c, h)
  c.status, c.bytes = status, 0
  if is_bare(status) then
    below = conn:write_nowait(
      response_head(status, reason or nil, h, nil, bare_length(status), flags))
  elseif length == 0 or req.method == "HEAD" then
    below = conn:write_nowait(
      response_head(status, reason or nil, h, content_type, length, flags))
  elseif length <= SMALL then
    c.bytes = length
    below = conn:write_nowait(
      response_head(status, reason or nil, h, content_type, length, flags, body))
  else
    c.bytes = length
    below = conn:write_nowait(
      response_head(status, reason or nil, h, content_type, length, flags), body)
  end
  if not below then c:wait_sent() end
end

--- The head of a response whose body follows; marks the response as begun.
---@param length integer|nil -1 chunked; nil none said
---@return string
function M.head(c, _, res, length)
  c.status, c.bytes = res.status, 0
  local flags, h = flags_of(c, res._h)
  local head = response_head(res.status, res.reason, h, res.content_type, length, flags)
  c.started, c.special = true, true
  return head
end

-- ---- what handlers return ----

--- An error that is an answer, as a response.
---@return Response
function M.of_error(err)
  local h = headers.Headers(err.headers)
  local status = math.tointeger(err.status) or 500
  if err.location then h["Location"] = err.location end
  if err.allow then h["Allow"] = table.concat(err.allow, ", ") end
  local reason = err.reason or exceptions.reason(status)
  local text = err.body or err.message or ("%d: %s"):format(status, reason)
  return setmetatable({
    status = status, reason = err.reason or nil, body = tostring(text), _h = h,
    content_type = err.content_type or TEXT,
  }, Response)
end

--- What a handler has returned, as an object with the fields of a response. Raises RuntimeError for
--- what is none.
function M.of(res, req)
  local mt = getmetatable(res)
  local made = as_response(res)
  if made then return made end
  if type(mt) == "table" and mt._send then return res end
  if req._c and req._c.taken then return upgraded.new() end
  if exceptions.is_answer(res) then return M.of_error(res) end
  error(core.RuntimeError(("the handler returned %s; a response expected: a string, "
    .. "http.Response{...}, http.json(value) and their like"):format(
      res == nil and "nothing" or "a " .. type(res))), 0)
end

--- A copy for one request: a handler may return the same object again and again, and what one
--- client gets must not show in what the next one does.
function M.own(res)
  local copy = {}
  for key, value in next, res do copy[key] = value end
  if copy._h then copy._h = headers.Headers(copy._h) end
  return setmetatable(copy, getmetatable(res))
end

-- Signals and compression: what few applications have. When that fails, so may it for the answer to
-- the failure, which then goes out without.
local function prepare(c, req, res)
  if req._preparing then return end
  req._preparing = true
  for _, fn in ipairs(req.route.prepare or {}) do fn(req, res) end
  local compress = res.compress
  if compress == nil then compress = c.settings.compress end
  if compress then
    response.check_fields(res)
    require("aio.http.compress").apply(req, res, compress)
  end
  req._preparing = nil
end

--- Answers with what a handler has returned. [suspends]
function M.answer(c, req, res)
  local mt = getmetatable(res)
  if mt ~= Response then
    if type(res) == "string" and not c.settings.prepares then
      return M.send(c, req, 200, nil, nil, TEXT, res)
    end
    if c.taken then return end
    res = M.of(res, req)
    mt = getmetatable(res)
  elseif c.taken then
    return
  end
  if c.settings.prepares or res._h and res.compress then
    res = M.own(res)
    prepare(c, req, res)
  end
  response.check_fields(res)
  if mt._send then return res:_send(c, req) end
  local h = res._h
  return M.send(c, req, res.status, h and res.reason, h, res.content_type, res.body)
end

return M
