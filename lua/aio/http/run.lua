-- SPDX-License-Identifier: MIT
--
-- run_app: an application served until a signal comes, in this state or in several worker states
-- (threads with a loop each) that share a port.

local core = require "aio.core"
local address = require "aio.address"
local channel = core.Channel
local check = require "aio.check"
local executor = require "aio.executor"
local job = require "aio.job"
local loop_runner = require "aio.runner"
local origin = require "aio.origin"
local server = require "aio.server"
local signal = require "aio.signal"
local wait = require "aio.wait"
local application = require "aio.http.application"
local runner = require "aio.http.runner"
local site = require "aio.http.site"

local M = {}

local OPTIONS = {
  host = true, port = "number", path = "string", sock = true, ssl = true, workers = "number",
  reuse_port = "boolean", backlog = "number", max_connections = "number", print = true,
  handle_signals = "boolean",
}
for name, kind in pairs(runner.OPTIONS) do OPTIONS[name] = kind end

local function picked(opts, names)
  local some = {}
  for name in pairs(names) do some[name] = opts[name] end
  return some
end

-- The sites that the options ask for; with none a TCP port.
local function sites_of(r, opts)
  local ssl, list = site.context(opts.ssl, 2, "run_app"), {}
  local some = { ssl = ssl, backlog = opts.backlog, max_connections = opts.max_connections }
  if opts.path then list[#list + 1] = site.UnixSite(r, opts.path, some) end
  if opts.sock then list[#list + 1] = site.SockSite(r, opts.sock, some) end
  if #list == 0 or opts.host or opts.port then
    local tcp = { reuse_port = opts.reuse_port }
    for k, v in pairs(some) do tcp[k] = v end
    list[#list + 1] = site.TCPSite(r, opts.host, opts.port, tcp)
  end
  return list
end

-- An application, or what a function makes.
local function made(app)
  if type(app) == "function" then app = app() end
  if getmetatable(app) ~= application.class then
    check.argerror(1, "run_app", "Application, or a function that returns one, expected, got "
      .. type(app))
  end
  return app
end

-- ---- the end ----

-- Ends a job that belongs to a block.
local function ended_with(one)
  return setmetatable({}, { __close = function()
    one:cancel()
    pcall(one.await, one)
  end })
end

-- Calls fn(running, stop). When `stopped` returns before fn has called `running`, fn is cancelled,
-- and that is no error: a start that hangs can be ended. Afterwards the job `stop` ends. [suspends]
local function until_stopped(stopped, fn)
  local task = core.current_task()
  local before, starting, cut_off = task:cancelling(), true, false
  local stop = job.ensure_future(function()
    stopped()
    if starting then
      cut_off = true
      task:cancel "stopped while it started"
    end
  end)
  local _ <close> = ended_with(stop)
  local ok, err = xpcall(fn, origin.note, function() starting = false end, stop)
  starting = false
  local ours = cut_off and task:uncancel() <= before
  if not ok and not (ours and core.is(err, core.CancelledError)) then error(err, 0) end
end

-- A scope in which `hurry` is called when, after the job `stop` has ended, `again` returns.
local function hurried(stop, again, hurry)
  return ended_with(job.ensure_future(function()
    wait.wait { stop }
    again()
    hurry()
  end))
end

-- Serves until the job `stop` ends. When `again` returns after that, the end is hurried. [suspends]
local function serve(app, opts, started, stop, again)
  local ending
  local _ <close> = hurried(stop, again, function()
    if ending then ending:_hurry() end
  end)
  local r <close> = runner.AppRunner(made(app), picked(opts, runner.OPTIONS))
  ending = r
  r:setup()
  local names, port = {}, nil
  for _, s in ipairs(sites_of(r, opts)) do
    s:start()
    names[#names + 1] = s.name
    port = port or s.port
  end
  started(names, port)
  stop:await()
end

local function announcer(opts)
  local write = opts.print
  if write == false then return function() end end
  write = write or print
  return function(names)
    write(("======== Running on %s ========\n(Press CTRL+C to quit)"):format(
      table.concat(names, ", ")))
    if write == print then io.stdout:flush() end
  end
end

-- ---- one state ----

-- Waits for a signal, from the first call on: whoever is told that the server runs may stop it. The
-- second result ends that when it is closed; the third waits for one more, the last that is ours.
local function stopper(opts)
  if opts.handle_signals == false then
    local function never() core.Future():await() end
    return never, setmetatable({}, { __close = function() end }), never
  end
  local signals = signal.signals("SIGINT", "SIGTERM")
  return function() signals() end, signals, function()
    signals()
    signals:close() -- a third signal ends the program
  end
end

local function run_here(app, opts)
  local stopped, scope, again = stopper(opts)
  local _ <close> = scope
  local announce = announcer(opts)
  until_stopped(stopped, function(running, stop)
    serve(app, opts, function(names)
      running()
      announce(names)
    end, stop, again)
  end)
end

-- ---- several states ----

local function closing_of(ch)
  return function() core.catch(core.QueueShutDown, ch.recv, ch) end
end

--- What a worker runs: crosses by its name. Tells its port, then serves until `stop` is closed; the
--- end is hurried when `hurry` is.
function M._worker(make, opts, ready, stop, hurry)
  until_stopped(closing_of(stop), function(running, stopping)
    serve(make, opts, function(names, port)
      running()
      ready:send { names = names, port = port }
    end, stopping, closing_of(hurry))
  end)
end

-- Ready, or failed before it was.
local function await_ready(ready, future)
  local function receive() return ready:recv() end
  local got = job.ensure_future(receive)
  local _ <close> = ended_with(got)
  wait.wait({ got, future }, { return_when = wait.FIRST_COMPLETED })
  if got:done() and not future:done() then return got:result() end
  future:result() -- raises
  check.state "a worker ended before it served"
end

-- What cannot cross is told by the caller's names.
local WHOSE = { ["2"] = "the function that makes the application", ["3"] = "the options" }

local function submit(pool, make, ...)
  local ok, future = pcall(pool.submit, pool, M._worker, make, ...)
  if ok then return future end
  if type(future) == "string" then future = future:gsub("^argument (%d)", WHOSE) end
  error(future, 0)
end

-- Adds the workers to `futures`; what the first has told.
local function start_workers(pool, make, opts, ends, ready, futures)
  local first
  for i = 1, opts.workers do
    local own = {}
    for k, v in pairs(opts) do own[k] = v end
    own.workers, own.print, own.reuse_port = nil, nil, true
    own.port = first and first.port or opts.port
    futures[i] = submit(pool, make, own, ready, ends.stop, ends.hurry)
    local told = await_ready(ready, futures[i])
    first = first or told
  end
  return first
end

-- Until `stopping` ends, or a worker by itself. Who closes ends.hurry hurries them. [suspends]
local function serve_in_workers(make, opts, ends, running, stopping)
  local pool <close> = executor.Executor { max_workers = opts.workers }
  local ready, stop = channel(opts.workers), ends.stop
  local futures = {}
  local _ <close> = setmetatable({}, { __close = function()
    stop:close() -- the pool would end them where they are
    if #futures > 0 then wait.wait(futures) end
  end })
  local first = start_workers(pool, make, opts, ends, ready, futures)
  running()
  first.names[1] = ("%s (%d workers)"):format(first.names[1], opts.workers)
  announcer(opts)(first.names)
  wait.wait(table.move(futures, 1, #futures, 2, { stopping }),
    { return_when = wait.FIRST_COMPLETED })
  stop:close()
  wait.wait(futures)
  for _, future in ipairs(futures) do future:result() end
end

local function run_workers(make, opts)
  local stopped, scope, again = stopper(opts)
  local _ <close> = scope
  local ends = { stop = channel(1), hurry = channel(1) }
  until_stopped(stopped, function(running, stop)
    local _ <close> = hurried(stop, again, function() ends.hurry:close() end)
    serve_in_workers(make, opts, ends, running, stop)
  end)
end

local function check_workers(app, opts)
  local n = math.tointeger(opts.workers)
  check.arg(n and n > 0, 2, "run_app", ("option 'workers': a positive integer expected, got %s")
    :format(tostring(opts.workers)))
  check.arg(type(app) == "function", 1, "run_app", "with workers, a function that makes the "
    .. "application: each worker has its own; write run_app(function() ... return app end, ...)")
  check.arg(not opts.path and not opts.sock, 2, "run_app",
    "option 'workers': workers share a TCP port; leave out 'path' and 'sock'")
  check.arg(opts.ssl == nil or type(opts.ssl) == "table", 2, "run_app",
    "option 'ssl': with workers a table of options of aio.ssl_context, since each makes its own")
  opts.workers = n
end

--- Serves an application until SIGINT or SIGTERM, then ends it gracefully (AppRunner:cleanup).
--- Outside of a task it runs a loop of its own; in a task it waits. [suspends]
---@param app Application|function an application, or a function that makes one; with `workers` a
---  function, which runs in each worker and whose upvalues are copied there
---@param opts? table host (nil: all interfaces), port (8080, 8443 with ssl), path (Unix socket),
---  sock, ssl (a context, or a table of its options), workers (so many threads share the port),
---  reuse_port, backlog, max_connections, print (function, or false), handle_signals (true), and
---  the options of AppRunner
function M.run_app(app, opts)
  check.arg(type(app) == "function" or getmetatable(app) == application.class, 1, "run_app",
    "Application, or a function that makes one, expected, got " .. type(app))
  opts = check.options(opts, OPTIONS, 2, "run_app")
  check.arg(opts.print == nil or opts.print == false or check.callable(opts.print), 2, "run_app",
    "option 'print': function or false expected")
  server.hosts_of(opts.host, 2, "run_app", "host")
  if opts.port ~= nil then address.check_port(opts.port, 2, "run_app", "port") end
  -- what is wrong is told now, at the caller's line
  if opts.access_log then
    require("aio.http.log").logger(opts.access_log, opts.access_log_to, "run_app")
  end
  local run = run_here
  if opts.workers then
    local copy = {}
    for k, v in pairs(opts) do copy[k] = v end
    opts, run = copy, run_workers
    check_workers(app, opts)
  end
  if core._running() then return run(app, opts) end
  loop_runner.run_with({ signals = false }, run, app, opts)
end

return M
