-- SPDX-License-Identifier: MIT
--
-- Applications: routes, middlewares, sub-applications and signals, put together by the user and
-- compiled when the application is frozen, at its start. Nothing here runs per request.

local core = require "aio.core"
local check = require "aio.check"
local generator = require "aio.generator"
local exceptions = require "aio.http.exceptions"
local http_core = require "aio.http.core"
local respond = require "aio.http.respond"
local router = require "aio.http.router"
local serve = require "aio.http.serve"

local M = {}

local result, response_of = serve.result, respond.of
local CLIENT_MAX_SIZE = 1 << 20 -- bytes of a body that `read` and its companions take

-- ---- signals ----

--- A list of functions that are called at one moment. `signal:append(fn)`.
local Signal = { __name = "Signal" }
Signal.__index = Signal

--- Adds a function.
---@param fn function
function Signal:append(fn)
  check.self(self, Signal, "append")
  check.arg(check.callable(fn), 1, "append", "function expected, got " .. type(fn))
  if self._frozen then check.state "the application has started; add its signals before" end
  self[#self + 1] = fn
end

-- `app:on_startup(fn)` does the same as `app.on_startup:append(fn)`.
function Signal:__call(_, fn) self:append(fn) end

local function signal() return setmetatable({}, Signal) end

-- ---- the class ----

--- An application: also a table for what its handlers share (`app.db = ...`).
---@class Application
local Application = { __name = "Application" }
Application.__index = Application
M.class = Application

local OPTIONS = {
  client_max_size = "number", middlewares = "table", limits = "table", compress = true,
}

local function check_middleware(fn, n, name)
  check.arg(check.callable(fn), n, name,
    "middleware, function(req, next), expected, got " .. type(fn))
end

--- A new application.
---@param opts? table client_max_size (1 MiB: bytes of a body that `read`, `text`, `json`, `form`
---  take), middlewares (list), limits (of a request: line, field, fields, head in bytes), compress
---  (true, or the least size of a body that is sent compressed to a client who takes it)
---@return Application
function M.Application(opts)
  opts = check.options(opts, OPTIONS, 1, "Application")
  local size = opts.client_max_size or CLIENT_MAX_SIZE
  check.arg(size >= 0, 1, "Application",
    "option 'client_max_size': a number of bytes, not negative, expected")
  local self = setmetatable({
    client_max_size = size,
    middlewares = {}, on_startup = signal(), on_shutdown = signal(), on_cleanup = signal(),
    on_response_prepare = signal(), cleanup_ctx = signal(),
    _routes = {}, _known = {}, _mounts = {}, _hosts = {}, _names = {}, _limits = opts.limits,
    _compress = opts.compress,
  }, Application)
  for _, fn in ipairs(opts.middlewares or {}) do
    check_middleware(fn, 1, "Application")
    self.middlewares[#self.middlewares + 1] = fn
  end
  return self
end

local function check_open(self, name)
  check.self(self, Application, name)
  if self._frozen then
    check.state(name .. ": the application has started; add routes and middlewares before")
  end
end

-- ---- routes ----

local METHOD = "^[%w!#$%%&'*+%-.^_`|~]+$"
local ROUTE_OPTIONS = { name = "string" }

local function add(self, n, name, method, path, handler, opts)
  check_open(self, name)
  check.arg(type(path) == "string", n, name, "path expected, got " .. type(path))
  local pieces, why = {}, nil -- "" is where the application is mounted
  if path ~= "" then pieces, why = router.parse(path) end
  check.arg(pieces, n, name, ("'%s': %s"):format(path, tostring(why)))
  check.arg(check.callable(handler), n + 1, name, "handler, function(req), expected, got "
    .. type(handler) .. (handler == nil and "; did you call it? write the function's name" or ""))
  opts = check.options(opts, ROUTE_OPTIONS, n + 2, name)
  if opts.name then
    check.arg(not self._names[opts.name], n + 2, name,
      ("option 'name': there is a route '%s' already"):format(opts.name))
  end
  local key = method .. " " .. path
  check.arg(not self._known[key], n, name,
    ("there is a route %s '%s' already; this one would never be called"):format(method, path))
  self._known[key] = true
  local route = {
    method = method, path = path, pieces = pieces, handler = handler, name = opts.name, app = self,
    user = handler, -- whose place is told when it fails
  }
  self._routes[#self._routes + 1] = route
  if opts.name then self._names[opts.name] = route end
  return route
end

--- Adds a route. Paths have parameters: `{name}` is one segment, `{name:pattern}` what matches the
--- Lua pattern, at the end of the path the whole rest. "" is the place of an application that is
--- mounted, without a slash; unless there is such a route, the one for "/" answers there too.
---@param method string "GET", or "*" for any
---@param path string
---@param handler fun(req: table): any
---@param opts? { name: string } for url_for
---@return table route
function Application:route(method, path, handler, opts)
  check.arg(type(method) == "string" and method:find(METHOD), 1, "route",
    "method expected, got " .. (type(method) == "string" and ("'%s'"):format(method)
      or type(method)))
  method = method:upper()
  check.arg(method == "*" or http_core.is_method(method), 1, "route",
    ("a server answers 501 to the method '%s', which it does not know: this route would never be "
      .. "called"):format(method))
  return add(self, 2, "route", method, path, handler, opts)
end

for _, method in ipairs { "get", "post", "put", "patch", "delete", "head", "options" } do
  local upper = method:upper()
  --- Adds a route for this method; that of GET answers HEAD too.
  ---@param path string
  ---@param handler fun(req: table): any
  ---@param opts? { name: string }
  ---@return table route
  Application[method] = function(self, path, handler, opts)
    return add(self, 1, method, upper, path, handler, opts)
  end
end

--- Adds routes: a list of { method, path, handler, opts }.
---@param list table
function Application:add_routes(list)
  check_open(self, "add_routes")
  check.arg(type(list) == "table", 1, "add_routes", "list of routes expected, got " .. type(list))
  for i, item in ipairs(list) do
    check.arg(type(item) == "table" and type(item[1]) == "string", 1, "add_routes",
      ("item %d: {method, path, handler} expected"):format(i))
    self:route(table.unpack(item, 1, 4))
  end
end

--- Serves the files of a folder below a prefix: see aio.http.static.
---@param prefix string
---@param dir string
---@param opts? table
---@return table route
function Application:static(prefix, dir, opts)
  check_open(self, "static")
  return require("aio.http.static").add(self, prefix, dir, opts)
end

--- A route for WebSocket connections; `handler(ws, req)`. When it returns the connection is closed.
---@param path string
---@param handler fun(ws: table, req: table)
---@param opts? table `name`, and what the WebSocket takes
---@return table route
function Application:websocket(path, handler, opts)
  local name
  if type(opts) == "table" then
    name = opts.name
    local rest = {}
    for k, v in pairs(opts) do rest[k] = k ~= "name" and v or nil end
    opts = rest
  end
  check.arg(check.callable(handler), 2, "websocket",
    "handler, function(ws, req), expected, got " .. type(handler))
  if opts then require("aio.http.websocket").check_options(opts, 3, "websocket") end
  local route = add(self, 1, "websocket", "GET", path, function(req)
    return require("aio.http.websocket").serve(req, handler, opts)
  end, { name = name })
  route.user = handler
  return route
end

-- ---- what is put together ----

local function check_sub(self, sub, n, name)
  check_open(self, name)
  check.arg(getmetatable(sub) == Application, n, name,
    "Application expected, got " .. type(sub))
  check.arg(sub ~= self and not sub._parent and not sub._frozen, n, name,
    "this application has a place already; make one for each place")
end

--- Puts an application below a prefix. Its middlewares run inside those of this one, its signals
--- with those of this one.
---@param prefix string "/admin"
---@param sub Application
---@return Application sub
function Application:mount(prefix, sub)
  check_sub(self, sub, 2, "mount")
  check.arg(type(prefix) == "string" and prefix:find "^/." and not prefix:find "[{}?#%c ]", 1,
    "mount", "a prefix like \"/admin\" expected, without parameters")
  sub._parent = self
  self._mounts[#self._mounts + 1] = { prefix = prefix:gsub("/+$", ""), app = sub }
  return sub
end

--- Gives all requests for a host to an application: "example.test", or with stars,
--- "*.example.test". The name is compared without its port.
---@param mask string
---@param sub Application
---@return Application sub
function Application:host(mask, sub)
  check_sub(self, sub, 2, "host")
  check.arg(type(mask) == "string" and mask:find "^[%w%.%-%*_:%[%]]+$", 1, "host",
    "a host like \"example.test\" or \"*.example.test\" expected")
  sub._parent = self
  self._hosts[#self._hosts + 1] = { mask = mask:lower(), app = sub }
  return sub
end

--- Adds a middleware, `function(req, next) return next(req) end`; the first added is the outermost.
---@param fn fun(req: table, next: fun(req: table): any): any
function Application:use(fn)
  check_open(self, "use")
  check_middleware(fn, 1, "use")
  self.middlewares[#self.middlewares + 1] = fn
end

local function named(self, name)
  local route = self._names[name]
  if route then return route, "" end
  for _, mounted in ipairs(self._mounts) do
    local found, prefix = named(mounted.app, name)
    if found then return found, mounted.prefix .. prefix end
  end
end

local function query_of(query)
  local parts, keys = {}, {}
  for key in pairs(query) do keys[#keys + 1] = tostring(key) end
  table.sort(keys)
  local function encode(v) return (tostring(v):gsub("[^%w%-%._~]", function(c)
    return ("%%%02X"):format(c:byte())
  end)) end
  for _, key in ipairs(keys) do
    local values = query[key]
    for _, v in ipairs(type(values) == "table" and values or { values }) do
      parts[#parts + 1] = encode(key) .. "=" .. encode(v)
    end
  end
  return #parts > 0 and "?" .. table.concat(parts, "&") or ""
end

--- The path of a named route, of this application or one mounted below it, encoded.
---@param name string
---@param params? table name -> value
---@param query? table name -> value or list of values
---@return string
function Application:url_for(name, params, query)
  check.self(self, Application, "url_for")
  local route, prefix = named(self, name)
  check.arg(route, 1, "url_for", ("there is no route '%s'"):format(tostring(name)))
  local top, above = self, self._parent
  while above do
    for _, mounted in ipairs(above._mounts) do
      if mounted.app == top then prefix = mounted.prefix .. prefix end
    end
    top, above = above, above._parent
  end
  local path = prefix .. router.build(route, params, "url_for")
  if path == "" then path = "/" end
  return query and path .. query_of(query) or path
end

-- ---- freezing ----

-- Calls from outside to inside: the first middleware gets a function that calls the second. What
-- `next(req)` returns is always a response for them, whatever the handler returns.
local function compose(handler, chain)
  if #chain == 0 then return handler end
  local call = function(req)
    local res = handler(req)
    return result(res) or response_of(res, req)
  end
  for i = #chain, 1, -1 do
    local fn, inner = chain[i], call
    call = function(req) return fn(req, inner) end
  end
  return call
end

local function extended(list, more)
  local all = table.move(list, 1, #list, 1, {})
  return table.move(more, 1, #more, #all + 1, all)
end

-- What holds at one place of the tree of applications.
local function place_of(app, above, prefix)
  local prepare = extended(above.prepare, app.on_response_prepare)
  return {
    app = app, prefix = prefix, chain = extended(above.chain, app.middlewares), prepare = prepare,
  }
end

local function compiled(place, method, path, handler, name)
  return {
    method = method, path = path, pieces = router.parse(path), handler = handler, name = name,
    app = place.app, call = compose(handler, place.chain),
    prepare = #place.prepare > 0 and place.prepare or false,
  }
end

local function route_at(place, path, route)
  local full = compiled(place, route.method, path, route.handler, route.name)
  full.user = route.user
  return full
end

local function not_found(req)
  local allowed = req._allowed
  if not allowed then error(exceptions.NotFound(), 0) end
  error(exceptions.MethodNotAllowed(nil, { allow = allowed }), 0)
end

local collect

-- `routes`; `bare`, which count where none of them is: those for "/" at the place of a mounted
-- application, without the slash; `fallbacks`; `hosts`.
local function collection(hosts)
  return { routes = {}, bare = {}, fallbacks = {}, hosts = hosts }
end

local function router_of(out) return router.compile(extended(out.routes, out.bare)) end

local SIGNALS = { "on_startup", "on_shutdown", "on_cleanup", "on_response_prepare", "cleanup_ctx" }

-- What adds to a list that cannot be called itself, as a Signal can.
local ADDING = { middlewares = "use" }

-- The lists are tables, which anything can be put into, and fields of one.
local function check_list(app, name)
  if type(app[name]) ~= "table" then
    check.state(("app.%s: a list of functions expected, got %s; write app:%s(fn)"):format(name,
      type(app[name]), ADDING[name] or name))
  end
  for i, fn in ipairs(app[name]) do
    if not check.callable(fn) then
      check.state(("app.%s: item %d: a function expected, got %s"):format(name, i, type(fn)))
    end
  end
end

-- All routes of an application at its place, and the one for what has none.
local function collect_app(app, above, prefix, out)
  check_list(app, "middlewares")
  for _, name in ipairs(SIGNALS) do check_list(app, name) end
  app._frozen = true
  for _, name in ipairs(SIGNALS) do app[name]._frozen = true end
  local place = place_of(app, above, prefix)
  for _, route in ipairs(app._routes) do
    local path = prefix .. route.path
    out.routes[#out.routes + 1] = route_at(place, path ~= "" and path or "/", route)
    if route.path == "/" and prefix ~= "" then
      out.bare[#out.bare + 1] = route_at(place, prefix, route)
    end
  end
  collect(app, place, prefix, out)
  local fallback = compiled(place, "*", "/", not_found)
  fallback.missing = true
  out.fallbacks[#out.fallbacks + 1] = { prefix = prefix, route = fallback }
  return place
end

function collect(app, place, prefix, out)
  for _, mounted in ipairs(app._mounts) do
    collect_app(mounted.app, place, prefix .. mounted.prefix, out)
  end
  for _, host in ipairs(app._hosts) do
    local inner = collection(out.hosts)
    collect_app(host.app, place, "", inner)
    local mask = "^" .. host.mask:gsub("[%.%-%[%]]", "%%%0"):gsub("%*", "[^.]*") .. "$"
    out.hosts[#out.hosts + 1] = { mask = mask, table = router_of(inner),
      fallbacks = inner.fallbacks }
  end
end

-- The longest prefix that holds the path.
local function fallback_of(fallbacks, path)
  local best
  for _, entry in ipairs(fallbacks) do
    local p = entry.prefix
    if path == p or path:sub(1, #p + 1) == p .. "/" or p == "" then
      if not best or #p > #best.prefix then best = entry end
    end
  end
  return best.route
end

local function host_of(hosts, name)
  name = (name or ""):lower():gsub(":%d*$", "")
  for _, entry in ipairs(hosts) do
    if name:find(entry.mask) then return entry end
  end
end

-- What a frozen application looks requests up in.
local Table = { __name = "RouteTable" }
Table.__index = Table

--- The route of a request, always one: that for paths and methods without any raises in its turn,
--- inside the middlewares.
---@return table route
---@return table|nil match_info
---@return table|nil allowed methods
function Table:find(method, path, host)
  local of = self
  if self.hosts then of = host_of(self.hosts, host) or self end
  local route, info = of.table:find(method, path)
  if route then return route, info end
  return fallback_of(of.fallbacks, path), nil, info
end

--- Compiles an application and everything below it; it cannot be changed any more.
---@param app Application
---@return table routes with `find` and, unless it depends on the host, `static`
function M.freeze(app)
  if app._table then return app._table end
  local out = collection {}
  collect_app(app, { chain = {}, prepare = {} }, "", out)
  local compiled_table = router_of(out)
  app._table = setmetatable({
    table = compiled_table, fallbacks = out.fallbacks,
    hosts = #out.hosts > 0 and out.hosts or nil,
    static = #out.hosts == 0 and compiled_table.static or {},
  }, Table)
  return app._table
end

-- ---- signals of a whole tree ----

local function each_app(app, fn)
  fn(app)
  for _, mounted in ipairs(app._mounts) do each_app(mounted.app, fn) end
  for _, host in ipairs(app._hosts) do each_app(host.app, fn) end
end

--- Has any of them something to do before each response?
---@return boolean
function M.prepares(app)
  local found = false
  each_app(app, function(one) found = found or #one.on_response_prepare > 0 end)
  return found
end

-- A context after its first half.
local function context_of(fn, app)
  local yielded = false
  local context = generator.generator(function(yield)
    fn(function()
      yielded = true
      yield()
    end, app)
  end)
  context()
  if not yielded then
    error(core.RuntimeError("a function of cleanup_ctx ended without calling yield(); what has "
      .. "nothing to clean up belongs to on_startup"), 0)
  end
  return context
end

-- No pcall: whoever gets an error shall see where it was raised.
--- Starts: the contexts' first halves, then on_startup, of the application and those below it. What
--- was begun is undone when something raises. [suspends]
---@param app Application
function M.startup(app)
  app._contexts = {}
  local started = false
  local _ <close> = setmetatable({}, { __close = function()
    if not started then pcall(M.cleanup, app) end
  end })
  each_app(app, function(one)
    for _, fn in ipairs(one.cleanup_ctx) do
      table.insert(app._contexts, context_of(fn, one))
    end
    for _, fn in ipairs(one.on_startup) do fn(one) end
  end)
  started = true
end

-- Calls all, also after one has failed; the first error is raised at the end.
local function each_safely(calls)
  local failure
  for _, call in ipairs(calls) do
    local ok, err = pcall(call)
    if not ok then failure = failure or { err } end
  end
  if failure then error(failure[1], 0) end
end

local function signal_calls(app, name)
  local calls = {}
  each_app(app, function(one)
    for _, fn in ipairs(one[name]) do calls[#calls + 1] = function() fn(one) end end
  end)
  return calls
end

--- Tells that the end has come: on_shutdown. [suspends]
function M.shutdown(app) each_safely(signal_calls(app, "on_shutdown")) end

--- Ends: on_cleanup, then the contexts' second halves, the last begun first. [suspends]
function M.cleanup(app)
  local calls = signal_calls(app, "on_cleanup")
  local contexts = app._contexts or {}
  app._contexts = nil
  for i = #contexts, 1, -1 do
    local context = contexts[i]
    calls[#calls + 1] = function()
      context()
      context:close()
    end
  end
  each_safely(calls)
end

function Application:__tostring()
  return ("Application: %d routes"):format(#self._routes)
end

return M
