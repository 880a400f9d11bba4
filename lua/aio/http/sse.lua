-- SPDX-License-Identifier: MIT
--
-- Server-sent events: http.sse, a stream response that a function sends events to, and the iterator
-- over those of a response. While the function runs a task beside it sends comments when it is
-- quiet, so that what stands in between keeps the connection, and sees the client go.

local core = require "aio.core"
local check = require "aio.check"
local event_parser = require "aio.http.event_parser"
local many = require "aio.many"
local stream = require "aio.http.stream"

local M = {}

local HEARTBEAT = 15 -- seconds of silence
local BEAT = ":\n\n"

-- ---- what the function sends to ----

--- Fields: `last_event_id` (which the client had seen before it connected again, or nil),
--- `request`.
---@class EventStream
local Events = { __name = "EventStream" }
Events.__index = Events

local FIELDS = { event = true, id = true, data = true, retry = true, comment = true }

local function bad(text) check.argerror(1, "send", text) end

-- A field of one line.
local function line(name, value)
  if type(value) == "number" then value = tostring(value) end
  if type(value) ~= "string" then
    bad(("field '%s': string expected, got %s"):format(name, type(value)))
  end
  if value:find "[\r\n\0]" then
    bad(("field '%s': one line without a zero byte expected"):format(name))
  end
  return ("%s: %s\n"):format(name, value)
end

-- A field of any number of lines, each with the name before it.
local function lines(prefix, name, value)
  if type(value) == "number" then value = tostring(value) end
  if type(value) ~= "string" then
    bad(("field '%s': string expected, got %s%s"):format(name, type(value),
      type(value) == "table" and " (aio.json.encode makes one of a table)" or ""))
  end
  if value:find "[\r\n]" then
    value = value:gsub("\r\n?", "\n"):gsub("\n", "\n" .. prefix)
  end
  return prefix .. value .. "\n"
end

local function retry_line(value)
  local ms = math.tointeger(value)
  if not ms or ms < 0 then
    bad("field 'retry': a number of milliseconds, not negative, expected, got " .. tostring(value))
  end
  return ("retry: %d\n"):format(ms)
end

local function text_of(event)
  for name in pairs(event) do
    if not FIELDS[name] then
      bad(("unknown field '%s' (there is: comment, data, event, id, retry)"):format(tostring(name)))
    end
  end
  local parts = {}
  if event.comment ~= nil then parts[1] = lines(": ", "comment", event.comment) end
  if event.event ~= nil then parts[#parts + 1] = line("event", event.event) end
  if event.id ~= nil then parts[#parts + 1] = line("id", event.id) end
  if event.retry ~= nil then parts[#parts + 1] = retry_line(event.retry) end
  if event.data ~= nil then parts[#parts + 1] = lines("data: ", "data", event.data) end
  if #parts == 0 then bad "an event with 'data', or another field, expected" end
  parts[#parts + 1] = "\n"
  return table.concat(parts)
end

local function write(self, text)
  self._out:write(text)
  self._last = self._loop:time()
end

--- Sends an event. Waits while the client takes less than is sent. [suspends] Raises OSError when
--- the client has gone.
---@param event table|string data, event (its name), id, retry (milliseconds), comment; a string is
---  the data
function Events:send(event)
  check.self(self, Events, "send")
  if type(event) == "string" then
    return write(self, lines("data: ", "data", event) .. "\n")
  end
  if type(event) ~= "table" then bad("table of fields or string expected, got " .. type(event)) end
  write(self, text_of(event))
end

-- ---- beside the function ----

local function client_gone(self)
  self._gone, self._c.gone = true, true
  self._task:cancel "the client went away"
end

-- Can the next request be read meanwhile? Its head, or the end, is what shows that a client goes.
local function can_look(c)
  if c.left ~= 0 or c.advanced then return false end
  c.parser:next()
  c.advanced = true
  return true
end

-- Waits for so many seconds (nil: without limit): false when they have passed, nil when the client
-- has gone, true when nothing can be seen of that any more.
local function look(c, seconds)
  local ok, got = pcall(core._feed, c.conn, c.parser, seconds)
  if ok then return got end
  if core.is(got, core.OSError) then return nil end
  if core.is(got, core.RuntimeError) then return true end
  error(got, 0)
end

-- How long until the next comment is due.
local function silence(self)
  if not self._heartbeat then return nil end
  return math.max(0, self._last + self._heartbeat - self._loop:time())
end

local function beat(self)
  if not self._heartbeat or silence(self) > 0 then return end
  local ok, err = pcall(write, self, BEAT)
  if ok then return end
  if not core.is(err, core.OSError) then error(err, 0) end
  return client_gone(self)
end

local function attend(self)
  local looks = can_look(self._c)
  while not self._gone do
    local got
    if looks then
      got = look(self._c, silence(self))
      looks = not got
    elseif self._heartbeat then
      core.sleep(silence(self))
      got = false
    else
      return
    end
    if got == nil then return client_gone(self) end
    if got == false then beat(self) end
  end
end

-- Ends the task beside the function. That the client has gone is then an error of the connection,
-- not a cancellation.
local Attendant = {}

function Attendant:__close(err)
  local events = self.events
  local cancelled = many.reap { self.task }
  if not events._gone then
    if cancelled then error(cancelled, 0) end
    return
  end
  local others = events._task:uncancel()
  if others == 0 and (err == nil or core.is(err, core.CancelledError)) then
    error(core.OSError("write: the client went away",
      { code = "ECONNRESET", syscall = "write" }), 0)
  end
  if cancelled and others > 0 then error(cancelled, 0) end
end

local function run(fn, out, req, heartbeat)
  out:flush()
  local events = setmetatable({
    request = req, last_event_id = req.headers["last-event-id"],
    _out = out, _c = out._c, _heartbeat = heartbeat, _loop = core.get_running_loop(),
    _task = core.current_task(),
  }, Events)
  events._last = events._loop:time()
  local attendant = setmetatable({ events = events }, Attendant)
  attendant.task = events._loop:create_task(attend, events)
  local _ <close> = attendant
  fn(events, req)
end

local OPTIONS = { heartbeat = true, headers = true }

local function check_heartbeat(value)
  if value == nil then return HEARTBEAT end
  if value == false then return nil end
  check.arg(type(value) == "number" and value > 0, 2, "sse",
    "option 'heartbeat': a positive number of seconds, or false, expected, got " .. tostring(value))
  return value
end

--- A response that is a stream of events: `fn(events, req)` sends them with `events:send`. It is
--- cancelled when the client goes away; when it returns, the response ends.
---@param fn fun(events: EventStream, req: table)
---@param opts? table heartbeat (15 seconds of silence until a comment is sent; false: none),
---  headers
---@return table response
function M.sse(fn, opts)
  check.arg(check.callable(fn), 1, "sse", "function(events) expected, got " .. type(fn))
  opts = check.options(opts, OPTIONS, 2, "sse")
  local heartbeat = check_heartbeat(opts.heartbeat)
  local res = stream.stream(function(out, req) return run(fn, out, req, heartbeat) end,
    { headers = opts.headers, content_type = "text/event-stream", compress = false })
  res.headers["Cache-Control"] = res.headers["Cache-Control"] or "no-store"
  res.headers["X-Accel-Buffering"] = "no" -- or a proxy would collect events
  return res
end

-- ---- the client ----

--- An iterator over the events of a body. [suspends when called]
---@param content table Content
---@return fun(): table|nil
function M.events(content)
  local parser = event_parser.new()
  return function()
    while true do
      local event = parser:next()
      if event then return event end
      local chunk = content:readany()
      if not chunk or chunk == "" then return nil end
      parser:feed(chunk)
    end
  end
end

return M
