-- SPDX-License-Identifier: MIT
--
-- How long a request may take. One number, the end by the loop's clock, and a limit for each wait:
-- the waits carry them (core._feed), so that a request needs no timer of its own.

local check = require "aio.check"
local errors = require "aio.http.errors"

local M = {}

local Timeout = {}
Timeout.__index = Timeout
Timeout.__name = "ClientTimeout"

local FIELDS = { "total", "connect", "sock_connect", "sock_read" }
local DEFAULTS = { total = 300, sock_connect = 30 }
local KNOWN = { total = true, connect = true, sock_connect = true, sock_read = true }

-- Seconds, or nil when there is no limit.
local function seconds(value, field, n, name)
  if value == nil then return DEFAULTS[field] end
  if value == false or value == math.huge then return nil end
  check.arg(type(value) == "number" and value > 0, n, name,
    ("%s: a positive number of seconds, or false for no limit, expected, got %s"):format(field,
      tostring(value)))
  return value
end

local function new(opts, n, name)
  local self = {}
  for _, field in ipairs(FIELDS) do self[field] = seconds(opts[field], field, n, name) end
  return setmetatable(self, Timeout)
end

--- Time limits of a request, in seconds; false: none.
---@param opts? table total (300: everything, with the body of the response), connect (none: until
---  there is a connection, with waiting for one), sock_connect (30: making one: look-up,
---  connecting, TLS), sock_read (none: until something comes)
---@return table
function M.Timeout(opts)
  return new(check.options(opts, KNOWN, 1, "Timeout"), 1, "Timeout")
end

M.default = new({}, 1, "Timeout")

--- Checks an option `timeout`: what M.Timeout returns, a number (`total`), or false.
function M.check(value, n, name)
  if value == nil or getmetatable(value) == Timeout then return value end
  check.arg(type(value) == "number" or value == false, n, name,
    "option 'timeout': seconds, http.Timeout{...}, or false expected, got " .. type(value))
  return new({ total = value }, n, name)
end

--- The error for a time limit that has passed.
---@param req table the request
---@param class table
---@param what string which limit
---@param limit number seconds
function M.passed(req, class, what, limit)
  local url = req.target.text
  return class(("%s %s took longer than %g s (%s)"):format(req.method, url, limit, what),
    { url = url, method = req.method, limit = what, seconds = limit })
end

--- How long the next wait of the request may take, or nil. Raises when the end has passed.
---@param req table with `deadline`, `limits` and `loop`
---@return number|nil
function M.next_wait(req)
  local deadline, sock_read = req.deadline, req.limits.sock_read
  if not deadline then return sock_read end
  local left = deadline - req.loop:time()
  if left <= 0 then M.raise_total(req) end
  return sock_read and sock_read < left and sock_read or left
end

--- Raises that the whole request has taken too long.
function M.raise_total(req)
  error(M.passed(req, errors.ServerTimeoutError, "total", req.limits.total), 0)
end

--- Raises for a wait that has lasted as long as next_wait said.
function M.raise_wait(req)
  local deadline = req.deadline
  if deadline and deadline <= req.loop:time() then M.raise_total(req) end
  error(M.passed(req, errors.SocketTimeoutError, "sock_read", req.limits.sock_read), 0)
end

M.ClientTimeout = Timeout

return M
