-- SPDX-License-Identifier: MIT
--
-- Sending a body that is made while it is sent, in a task beside the one that reads the answer, so
-- that an answer that comes early is seen. A text needs none of this.

local core = require "aio.core"
local body_of = require "aio.http.body"
local errors = require "aio.http.errors"
local many = require "aio.many"

local M = {}

local Upload = {}
Upload.__index = Upload

-- What the server refuses is no error of the request as long as there is an answer to read.
local function put(self, ...)
  local ok, err = pcall(self.stream.write, self.stream, ...)
  if ok then return true end
  if not core.is(err, core.OSError, core.RuntimeError) then error(err, 0) end
  self.broken = err
  return false
end

local function note(self, chunk)
  self.sent = self.sent + #chunk
  if self.progress then core.atomic(self.progress, self.sent, self.body.size) end
  if self.trace then self.trace("request_chunk_sent", { chunk = chunk }) end
end

local function wrong_size(self)
  error(errors.ClientPayloadError(("the body of the request has %s bytes than the %d that were "
    .. "announced"):format(self.sent < self.body.size and "fewer" or "more", self.body.size)), 0)
end

local function checked(chunk)
  if type(chunk) ~= "string" then
    error(core.RuntimeError("the function of a request's body returns strings, and nil at the end; "
      .. "it returned a " .. type(chunk)), 0)
  end
  return chunk
end

local function send_all(self)
  local size, next_chunk = self.body.size, body_of.chunks(self.body)
  while true do
    local chunk = next_chunk()
    if chunk == nil then break end
    if checked(chunk) ~= "" then
      if size and self.sent + #chunk > size then
        self.sent = self.sent + #chunk
        wrong_size(self)
      end
      local ok
      if size then
        ok = put(self, chunk)
      else
        ok = put(self, ("%x\r\n"):format(#chunk), chunk, "\r\n")
      end
      if not ok then return end
      note(self, chunk)
    end
  end
  if size and self.sent < size then wrong_size(self) end
  self.complete = size and true or put(self, "0\r\n\r\n")
end

-- The body of the task. What the user's function raises ends the connection, which wakes the one
-- who waits for the answer.
local function run(self)
  local ok, err = pcall(send_all, self)
  self.done = true
  if ok then return end
  if self.stopping then error(err, 0) end
  self.error = err
  self.stream:abort()
end

--- Begins to send a body. The caller ends it with `stop`.
---@param stream table
---@param body table see body.lua
---@param progress? fun(done: integer, total: integer|nil)
---@param trace? function
---@return table upload done, complete (all of it was sent), broken (why it could not), error (what
---  the user's function raised)
function M.start(stream, body, progress, trace)
  local self = setmetatable({
    stream = stream, body = body, progress = progress, trace = trace, sent = 0, done = false,
    complete = false,
  }, Upload)
  self.task = core.create_task(run, self)
  return self
end

--- Ends it soon.
function Upload:cancel()
  if self.done then return end
  self.stopping = true
  self.task:cancel()
end

--- Ends it, and waits until it has ended. [suspends] Returns the CancelledError that came
--- meanwhile, or nil.
function Upload:stop()
  if self.done then return nil end
  self.stopping = true
  return many.reap { self.task }
end

return M
