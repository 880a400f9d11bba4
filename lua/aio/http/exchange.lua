-- SPDX-License-Identifier: MIT
--
-- One request and its response over one link: what a session does for each hop of a redirect. The
-- link belongs to the response when this returns, and is given back when it raises.

local core = require "aio.core"
local hc = require "aio.http.core"
local client_timeout = require "aio.http.client_timeout"
local errors = require "aio.http.errors"
local response = require "aio.http.client_response"
local upload = require "aio.http.upload"

local M = {}

local feed, unread = core._feed, core._unread
local next_wait = client_timeout.next_wait

local MOST_INTERIM = 100 -- responses 1xx before the one
local CONTINUE_SECONDS = 1 -- how long a server may think about Expect: 100-continue
local IN_ONE_PIECE = 262144 -- bytes of a body that is handed to the system with the head
local SENT_TWICE = {
  GET = true, HEAD = true, OPTIONS = true, TRACE = true, PUT = true, DELETE = true,
}

-- ---- what went wrong ----

local function gone(req, link, err)
  local to = link.place
  local text = ("%s:%d closed the connection before it had answered"):format(to.host, to.port)
  local made = err and errors.from_os(errors.ClientOSError, ("%s:%d: %s"):format(to.host, to.port,
    err.message or tostring(err)), err) or errors.ServerDisconnectedError(text)
  made.method, made.url = req.method, req.target.text
  made.stale = link.uses > 1 and link.parser:idle()
  error(made, 0)
end

-- The text is the parser's and bounded; the server's bytes in it are escaped.
local function malformed(req, message)
  error(errors.BadResponse("the server sent no valid HTTP: " .. message,
    { url = req.target.text, method = req.method }), 0)
end

-- ---- the head ----

-- Waits for the head of the next response. False when `seconds` have passed, which are less than
-- the request's own limits. [suspends]
local function wait_for_head(req, link, sending, seconds)
  local stream, parser = link.stream, link.parser
  while true do
    local limit = next_wait(req)
    local short = seconds and (not limit or seconds < limit)
    if short then limit = seconds end
    local ok, done = pcall(feed, stream, parser, limit)
    if ok and done then return true end
    if sending and sending.error then error(sending.error, 0) end
    if not ok then
      if not core.is(done, core.OSError) then error(done, 0) end
      gone(req, link, done)
    end
    if done == nil then gone(req, link, sending and sending.broken) end
    if short then return false end
    local _, queued = unread(stream)
    local still_sending = sending and not sending.done or queued and queued > 0
    if not still_sending or req.deadline and req.deadline <= req.loop:time() then
      client_timeout.raise_wait(req)
    end
  end
end

-- Reads responses up to the final one, or a 100 when `seconds` are given. Returns what the parser
-- tells, or nothing when those have passed. [suspends]
local function read_head(req, link, sending, seconds)
  local parser = link.parser
  for _ = 1, MOST_INTERIM do
    parser:begin(req.method)
    if not wait_for_head(req, link, sending, seconds) then return nil end
    local headers, status, reason, minor, length, flags = parser:head()
    if not headers then malformed(req, reason) end
    if status == 101 and not req.upgrade then malformed(req, "a change of protocol unasked") end
    if status >= 200 or status == 101 then
      return headers, status, reason, minor, length, flags
    end
    parser:next()
    if status == 100 and seconds then return nil end
  end
  malformed(req, "interim responses without end")
end

-- ---- the request ----

-- Without waiting: what the system does not take is sent while the answer is waited for.
local function write(link, req, ...)
  local ok, err = pcall(link.stream.write_nowait, link.stream, ...)
  if ok then return end
  if not core.is(err, core.OSError) then error(err, 0) end
  gone(req, link, err)
end

-- The server may have answered, and closed: then there is something to read.
local function write_text(link, text)
  local ok, err = pcall(link.stream.write_nowait, link.stream, text)
  if not ok and not core.is(err, core.OSError) then error(err, 0) end
end

local function begin_body(req, link, body)
  if body.text and not req.on_progress and not req.trace then
    write_text(link, body.text)
    return nil
  end
  link.sending = upload.start(link.stream, body, req.on_progress, req.trace)
  return link.sending
end

-- Sends head and body; returns the upload that goes on, and the response when one came before the
-- body was sent. [suspends]
local function send(req, link, head)
  local body = req.body
  local text = body and body.text
  local watched = req.expect or req.on_progress or req.trace
  if text and #text <= IN_ONE_PIECE and not watched then
    write(link, req, head, text)
    return nil
  end
  write(link, req, head)
  if req.trace then req.trace("request_headers_sent", { headers = req.headers }) end
  if not body then return nil end
  if req.expect then
    local early = table.pack(read_head(req, link, nil, CONTINUE_SECONDS))
    if early[1] then return nil, early end
  end
  return begin_body(req, link, body)
end

-- One attempt; `link.sending` is its upload. [suspends]
local function attempt(req, link)
  if not link.parser then link.parser = hc.parser("response", req.session._limits) end
  local sending, early = send(req, link, req.head)
  if early then return response.new(req, link, nil, false, table.unpack(early, 1, early.n)) end
  return response.new(req, link, sending, true, read_head(req, link, sending))
end

-- What an attempt raised, after the link was given back. [suspends]
local function cleaned_up(req, link, err)
  local sending, cancelled = link.sending, nil
  if sending then
    cancelled = sending:stop()
    if sending.error ~= nil and not core.is(err, core.CancelledError) then err = sending.error end
  end
  req.connector:_drop(link)
  return cancelled or err
end

--- Sends a request and reads the head of the response. A connection out of the pool that turns out
--- to be closed is no error when the request can be sent once more: then a new one is made for it.
--- [suspends] Raises ClientError, TimeoutError.
---@param req table see client_request.lua
---@return table response
function M.exchange(req)
  local connector, place = req.connector, req.place
  local link = connector:_acquire(place, req)
  local ok, res = pcall(attempt, req, link)
  if ok then return res end
  res = cleaned_up(req, link, res)
  local again = core.is(res, errors.ClientError) and res.stale and SENT_TWICE[req.method]
    and (not req.body or req.body.again)
  if not again then error(res, 0) end
  link = connector:_acquire(place, req, true)
  ok, res = pcall(attempt, req, link)
  if ok then return res end
  error(cleaned_up(req, link, res), 0)
end

return M
