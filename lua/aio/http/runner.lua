-- SPDX-License-Identifier: MIT
--
-- Running an application: AppRunner holds it with its settings, its sites and its connections, and
-- ends it gracefully. aio.http.run has run_app on top of it.

local core = require "aio.core"
local is_error = require("aio.errors").is_error
local wait = require "aio.wait"
local check = require "aio.check"
local application = require "aio.http.application"

local M = {}

local IDLE_S, HEAD_S, BODY_S, WRITE_S = 75, 10, 30, 30 -- see docs/security.md
local SHUTDOWN_S = 60
local GRACE_S = 0.05 -- for requests that are on their way when the server stops,
local HANDSHAKE_S = 2 -- and for what must come before them
local HURRY_S = 1 -- for handlers that were cancelled, when somebody asked twice

--- An application that runs. Fields: `app`, `sites` (those that have started), `addresses`.
---@class AppRunner
local AppRunner = { __name = "AppRunner" }
AppRunner.__index = AppRunner
M.class = AppRunner

--- The options of AppRunner, which run_app takes too.
M.OPTIONS = {
  keepalive_timeout = "number", head_timeout = "number", body_timeout = "number",
  write_timeout = "number", shutdown_timeout = "number", access_log = true,
  access_log_to = true, forwarded = true, handler_cancellation = "boolean",
}

local function seconds(opts, name, unset)
  local value = opts[name]
  if value == nil then return unset end
  check.arg(value == value and value > 0, 2, "AppRunner",
    ("option '%s': a positive number of seconds expected, got %s"):format(name, value))
  return value
end

-- What the connections of a runner share.
local function settings_of(app, opts)
  local log, begin
  if opts.access_log then
    log, begin = require("aio.http.log").logger(opts.access_log, opts.access_log_to)
  end
  return {
    app = app, limits = app._limits or {}, open = {}, closing = false,
    idle_timeout = seconds(opts, "keepalive_timeout", IDLE_S),
    head_timeout = seconds(opts, "head_timeout", HEAD_S),
    body_timeout = seconds(opts, "body_timeout", BODY_S),
    write_timeout = seconds(opts, "write_timeout", WRITE_S),
    log = log, begin = begin, compress = app._compress,
    forwarded = opts.forwarded and require("aio.http.forwarded").rules(opts.forwarded) or nil,
    watch = opts.handler_cancellation and require("aio.http.watch").call or nil,
  }
end

--- An application with its settings; `setup` starts it, then sites are made for it.
---@param app Application
---@param opts? table keepalive_timeout (75 s), head_timeout (10), body_timeout (30 without
---  progress), write_timeout (30 without progress), shutdown_timeout (60), access_log,
---  access_log_to, forwarded (true, or a list of proxies whose X-Forwarded-* count),
---  handler_cancellation (false)
---@return AppRunner
function M.AppRunner(app, opts)
  check.arg(getmetatable(app) == application.class, 1, "AppRunner",
    "Application expected, got " .. type(app))
  opts = check.options(opts, M.OPTIONS, 2, "AppRunner")
  return setmetatable({
    app = app, sites = {}, shutdown_timeout = seconds(opts, "shutdown_timeout", SHUTDOWN_S),
    _settings = settings_of(app, opts), _state = "new",
  }, AppRunner)
end

--- Starts the application: its contexts and on_startup. [suspends]
function AppRunner:setup()
  check.self(self, AppRunner, "setup")
  if self._state ~= "new" then check.state "this runner has been set up already" end
  local settings, routes = self._settings, application.freeze(self.app)
  settings.routes, settings.static = routes, routes.static
  settings.prepares = settings.compress ~= nil and settings.compress ~= false
    or application.prepares(self.app)
  self._state = "running"
  local started = false
  local _ <close> = setmetatable({}, { __close = function()
    if not started then self._state = "ended" end
  end })
  application.startup(self.app)
  started = true
end

--- Where the sites listen: a list of addresses, of Unix sockets of paths.
function AppRunner:addresses()
  local list = {}
  for _, site in ipairs(self.sites) do
    for _, socket in ipairs(site._server.sockets) do
      local host, port = socket:getsockname()
      list[#list + 1] = port and { host = host, port = port } or host
    end
  end
  return list
end

-- ---- the end ----

local function is_shaking(self)
  for _, site in ipairs(self.sites) do
    if next(site._server._shaking or {}) then return true end
  end
  return false
end

-- Gives those who have connected the time to ask.
local function hear_out(self)
  -- The first turn begins with those who were let in by the end of listening, the next runs them.
  core.sleep(0)
  core.sleep(0)
  core.sleep(GRACE_S)
  if not is_shaking(self) then return end
  local loop = core.get_running_loop()
  local deadline = loop:time() + HANDSHAKE_S
  repeat core.sleep(GRACE_S) until not is_shaking(self) or loop:time() > deadline
  core.sleep(GRACE_S)
end

-- Connections that wait for a request are closed; the others end after theirs.
local function close_idle(self)
  local settings = self._settings
  settings.closing, settings.idle_timeout = true, GRACE_S
  hear_out(self)
  for c in pairs(settings.open) do
    -- Under load a request may be there that nobody has read yet.
    if not c.req and c.parser:idle() then core._look(c.conn) end
    if not c.req and c.parser:idle() then c.conn:close() end
  end
end

local function tasks_of(settings)
  local tasks = {}
  for c in pairs(settings.open) do tasks[#tasks + 1] = c.task end
  return tasks
end

-- Waits for the connections that are open. True: none is left.
local function wait_for_handlers(settings, limit)
  local tasks = tasks_of(settings)
  if #tasks > 0 then wait.wait(tasks, { timeout = limit }) end
  return next(settings.open) == nil
end

local function cancel_handlers(settings)
  for c in pairs(settings.open) do c.task:cancel "the server stops" end
end

local function close_sites(self)
  for _, site in ipairs(self.sites) do site._server:close() end
end

-- Aborted last: what was cancelled and did not end.
local function abort_rest(self)
  for _, site in ipairs(self.sites) do site._server:abort_clients() end
end

-- Steps 2 to 5. Raises what on_shutdown has raised, at the end. [suspends]
local function wind_down(self)
  local settings = self._settings
  close_idle(self)
  local ok, err = pcall(application.shutdown, self.app)
  if not ok and not is_error(err) then error(err, 0) end
  if not wait_for_handlers(settings, self.shutdown_timeout) then
    cancel_handlers(settings)
    wait_for_handlers(settings, self.shutdown_timeout)
  end
  if not ok then error(err, 0) end
end

--- Ends gracefully: 1. no more connections are accepted, but for clients that have connected
--- already, 2. idle ones are closed, 3. on_shutdown is called, 4. handlers have `shutdown_timeout`
--- seconds to end, 5. those that are left are cancelled, and have as long again, 6. on_cleanup and
--- the contexts end. (7. is `aio.run`'s, which cancels all other tasks.) Cancelled before 6, it
--- cancels the handlers at once, which have a second, and goes on with 6. [suspends]
function AppRunner:cleanup()
  check.self(self, AppRunner, "cleanup")
  if self._state ~= "running" then
    self._state = "ended"
    return
  end
  self._state = "ended"
  close_sites(self)
  local ok, err = pcall(wind_down, self)
  if not ok and not is_error(err) then
    self:_hurry()
    pcall(wait_for_handlers, self._settings, self.shutdown_timeout)
  end
  abort_rest(self)
  self.sites = {}
  application.cleanup(self.app)
  if not ok then error(err, 0) end
end

--- For a second demand to end: handlers are cancelled now, and have a second.
function AppRunner:_hurry()
  self.shutdown_timeout = math.min(self.shutdown_timeout, HURRY_S)
  cancel_handlers(self._settings)
end

AppRunner.__close = AppRunner.cleanup

function AppRunner:__tostring()
  return ("AppRunner (%s, %d sites)"):format(self._state, #self.sites)
end

return M
