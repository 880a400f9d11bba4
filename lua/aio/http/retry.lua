-- SPDX-License-Identifier: MIT
--
-- A middleware that tries again: after an error of the connection, or an answer that says "later".

local core = require "aio.core"
local check = require "aio.check"
local errors = require "aio.http.errors"

local M = {}

local METHODS = { "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE" }
local STATUSES = { 429, 502, 503, 504 }

local OPTIONS = {
  attempts = "number", backoff = "number", max_backoff = "number", statuses = "table",
  methods = "table",
}

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

-- The server's wish in seconds, when it is a number.
local function wish_of(res)
  local text = res.headers["retry-after"]
  return text and text:find "^%d+$" and tonumber(text) or nil
end

-- Whether to try again, and after how many seconds.
local function verdict(self, req, n, ok, res)
  if n >= self.attempts or not self.methods[req.method] then return false end
  if req.body and not req.body.again then return false end
  local wish
  if ok then
    if not self.statuses[res.status] then return false end
    wish = wish_of(res)
  elseif not core.is(res, errors.ClientConnectionError, errors.ServerTimeoutError) then
    return false
  end
  local pause = math.min(self.backoff * 2 ^ (n - 1), self.max_backoff)
  pause = pause * (0.5 + math.random() / 2) -- so that many clients do not come back at once
  if wish then pause = math.max(wish, pause) end
  if wish and wish > self.max_backoff then return false end
  if req.deadline and req.loop:time() + pause >= req.deadline then return false end
  return true, pause
end

--- A middleware for ClientSession{middlewares=} that tries again what failed for want of a
--- connection, in time, or with a status that passes. Only what may be sent twice is: by its
--- method, and by its body, which is a string or a file.
---@param opts? table attempts (3 in all), backoff (0.1 seconds before the second, twice as much
---  before each that follows, less up to a half by chance), max_backoff (10 seconds; Retry-After
---  may ask for more than the backoff, not for more than this), statuses ({429, 502, 503, 504}),
---  methods (GET, HEAD, OPTIONS, TRACE, PUT, DELETE)
---@return function middleware
function M.retry(opts)
  opts = check.options(opts, OPTIONS, 1, "retry")
  local attempts = opts.attempts or 3
  check.arg(math.tointeger(attempts) and attempts >= 1, 1, "retry",
    "option 'attempts': a positive integer expected")
  for _, option in ipairs { "backoff", "max_backoff" } do
    check.arg(not opts[option] or opts[option] >= 0, 1, "retry",
      ("option '%s': a number of seconds, not negative, expected"):format(option))
  end
  local self = {
    attempts = attempts, backoff = opts.backoff or 0.1, max_backoff = opts.max_backoff or 10,
    statuses = set_of(opts.statuses or STATUSES), methods = set_of(opts.methods or METHODS),
  }
  return function(req, next)
    for n = 1, math.huge do
      local results = table.pack(core.pcall(next, req))
      local again, pause = verdict(self, req, n, results[1], results[2])
      if not again then
        if not results[1] then error(results[2], 0) end
        return table.unpack(results, 2, results.n)
      end
      if results[1] then results[2]:release() end
      core.sleep(pause)
    end
  end
end

return M
