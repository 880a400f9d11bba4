-- SPDX-License-Identifier: MIT
--
-- The loop of one connection: head, route, handler, response, again and again in order. No task, no
-- timer and no pcall per request: a handler's error leaves the loop, is answered, and the loop is
-- entered again. Called by the sites (aio.http.site) for each connection that they accept.

local core = require "aio.core"
local http_core = require "aio.http.core"
local connection = require "aio.http.connection"
local exceptions = require "aio.http.exceptions"
local origin = require "aio.origin"
local request = require "aio.http.request"
local respond = require "aio.http.respond"
local response = require "aio.http.response"

local M = {}

local feed = core._feed
local setmetatable = setmetatable
local answer, answer_simply = respond.answer, respond.answer_simply
local Request = request.class
local KEEP_ALIVE, EXPECT = http_core.KEEP_ALIVE, http_core.EXPECT_CONTINUE
local OVER <const>, AGAIN <const> = false, true

local is_error = require("aio.errors").is_error

-- ---- the access log ----

-- The response is gone already: a log that fails is told, and changes nothing of it.
local function log(c, req)
  local ok, err = pcall(c.settings.log, c, req)
  if ok then return end
  if not is_error(err) then error(err, 0) end
  core.get_running_loop():call_exception_handler {
    message = "the access log failed", kind = "callback_error", exception = err,
    task = core.current_task(), request = req,
  }
end

-- What could not be parsed is in the log too; it has no method, no target and no headers.
local function log_refused(c, status, size)
  c.settings.begin(c)
  c.status, c.bytes = status, size
  log(c, { remote = c:peer(), headers = {} })
end

-- ---- what is no request ----

-- Answers to something that cannot be parsed, and ends.
local function refuse(c, status, message)
  c.quit, c.special = true, true
  local body = ("%d: %s\n"):format(status, message or exceptions.reason(status))
  local head = http_core.response_head(status, nil, nil, "text/plain; charset=utf-8", #body, 0)
  c.conn:write_nowait(head, body)
  c.rest = true
  if c.settings.log then log_refused(c, status, #body) end
  return OVER
end

-- The wait for a head has ended without one: the end, or the time was over.
local function ended(c, got)
  if c.parser:idle() then return OVER end
  if got == false then return refuse(c, 408, "the request came too slowly") end
  return refuse(c, 400, "the request is not whole")
end

-- ---- after a response ----

-- The rest of a request whose response is gone. True: the next one can come.
local function finish(c, req)
  if c.settings.log then log(c, req) end
  if c.left ~= 0 and not c.taken and not c:finish_body() then
    c.quit, c.special, c.rest = true, true, true
  end
  c.req, c.left = false, 0
  if c.pull then c.pull, c.pulled = false, false end
  if c.started then c.started = false end
  c.special = c.advanced or c.quit
  return c.flags & KEEP_ALIVE ~= 0 and not c.quit
end

-- After a response by answer_simply, where somebody keeps a log or the client is slow.
local function answered(c, req, size)
  c.status, c.bytes = 200, size
  finish(c, req)
end

-- On to the next message, unless somebody has looked ahead. True: a part of it was there before.
local function advance(c)
  if not c.advanced then
    c.parser:next()
    return false
  end
  c.advanced, c.special = false, false
  return not c.parser:idle()
end

-- ---- the loop ----

local function with_body(c, req, length, flags)
  c.left, req._length = length, length
  if flags & EXPECT ~= 0 then c.expects = true end
end

-- For what is not in the table of paths without parameters.
local function route_of(c, req)
  local route, info, allowed = c.settings.routes:find(req.method, req._path, req.host)
  req.route, req.match_info, req._allowed = route, info, allowed
  return route
end

-- Answers requests until the connection ends, or a handler raises. Every line here is paid for by
-- each request: what is looked up twice is a local, and what few requests need is made elsewhere.
local function requests(c)
  local conn, p, settings = c.conn, c.parser, c.settings
  local static, idle, head_timeout = settings.static, settings.idle_timeout, settings.head_timeout
  local begin, watch, plain = settings.begin, settings.watch, not settings.prepares
  local busy = (settings.log or watch) ~= nil
  if not c.served then idle = head_timeout end
  while true do
    local got, headers, method, target, _, length, flags = feed(conn, p, idle, head_timeout, true)
    if got ~= true then return ended(c, got) end
    if not headers then return refuse(c, method, target) end
    local by_method = static[target]
    local route = by_method and by_method[method]
    local req = setmetatable({
      method = method, headers = headers, raw_path = target, route = route, _c = c,
    }, Request)
    c.req, c.flags = req, flags
    if length ~= 0 then with_body(c, req, length, flags) end
    if not route then route = route_of(c, req) end
    if begin then begin(c, req) end
    local res
    if watch then res = watch(c, req, route.call) else res = route.call(req) end
    local below, size
    if plain and not c.special and not settings.closing then below, size = answer_simply(p, res) end
    idle = settings.idle_timeout
    if below == nil then
      answer(c, req, res)
      if not finish(c, req) then return OVER end
      if advance(c) then idle = head_timeout end
    else -- the parser is there already
      if not below then c:wait_sent() end
      if busy or not below then answered(c, req, size) end
      c.req = false
    end
  end
end

--- `result(res)`: what `next(req)` returns for what a handler has returned. A string as a Response,
--- or as it is when no middleware will see it; a Response as it is; nothing for anything else.
M.result = http_core.result_for(response.class, requests)

-- ---- errors ----

-- Message handler: an error that is no answer keeps where it was raised.
local function note(err)
  if exceptions.is_answer(err) then return err end
  return origin.note(err) -- a tail call: it looks who has called it
end

-- Where the user's handler stands: what it returned, or raised by a tail call, has no line.
local function place_of(route)
  local fn = route and route.user
  local info = type(fn) == "function" and debug.getinfo(fn, "S")
  return info and info.what == "Lua" and (" (%s:%d)"):format(info.short_src, info.linedefined) or ""
end

local function report(c, req, err, traceback)
  local named, peer = pcall(c.peer_name, c)
  core.get_running_loop():call_exception_handler {
    message = ("the handler of %s %s%s from %s failed"):format(req.method,
      ("%q"):format(req._path):sub(2, -2), place_of(req.route), named and peer or "a peer"),
    kind = "callback_error", exception = err, traceback = c.traced or traceback,
    conn = c.conn, task = core.current_task(), address = peer, request = req,
  }
end

-- What a client that has gone makes of reads and writes; also as all members of a group.
local function is_loss(err)
  if not core.is(err, core.ExceptionGroup) then
    return core.is(err, core.OSError, core.IncompleteReadError)
  end
  for _, one in ipairs(err.errors or {}) do
    if not is_loss(one) then return false end
  end
  return true
end

-- It ends here. A response that was begun has a line in the log all the same.
local function break_off(c, req)
  if c.started and c.settings.log then log(c, req) end
  return OVER
end

-- Answers a request whose handler has raised. Again, or over.
local function failed(c, raised)
  local err, traceback = origin.of(raised)
  local req = c.req
  if not is_error(err) then error(err, 0) end
  if not req then
    if core.is(err, core.OSError) then return OVER end -- the client went away
    error(err, 0)
  end
  local answers = exceptions.is_answer(err)
  if not answers and is_loss(err) and (c.gone or not c:is_alive()) then return break_off(c, req) end
  if not answers and not (c.broken and core.is(err, core.IncompleteReadError)) then
    report(c, req, exceptions.meant(err), traceback)
  end
  if c.started then -- the client shall see that this is not the whole answer
    c.conn:abort()
    return break_off(c, req)
  end
  if not answers then err = exceptions.InternalServerError() end
  answer(c, req, respond.of_error(err))
  if not finish(c, req) then return OVER end
  advance(c)
  c.served = true
  return AGAIN
end

-- After an error that was no answer either: the client has gone meanwhile, or something is wrong.
local function give_up(c, err)
  c.conn:abort()
  if not core.is(err, core.OSError) then error(err, 0) end
end

-- What has been read ahead may not be all that comes: a close with unread bytes makes the client's
-- system drop the last answer.
local function close(c)
  local rest = c.rest or not c.taken and (core._unread(c.conn) or 0) > 0
  local ok, err = pcall(c.close, c, rest)
  if not ok and not core.is(err, core.OSError) then error(err, 0) end
end

--- Serves a connection until it ends. [suspends]
---@param settings table see aio.http.runner
---@param conn table stream
---@param secure boolean over TLS?
function M.serve(settings, conn, secure)
  local c <close> = connection.new(conn, settings, secure)
  while true do
    local ok, more = xpcall(requests, note, c)
    if not ok then
      ok, more = xpcall(failed, note, c, more)
      if not ok and c.req and not c.started then -- the plain answer then
        ok, more = xpcall(failed, note, c, more)
      end
      if not ok then return give_up(c, more) end
    end
    if not more then break end
  end
  close(c)
end

return M
