-- SPDX-License-Identifier: MIT
--
-- ClientSession: what many requests have in common (connections, cookies, fields, limits), and the
-- way of one request: through the redirects, each hop through the middlewares, to one exchange.

local core = require "aio.core"
local hc = require "aio.http.core"
local check = require "aio.check"
local auth = require "aio.http.auth"
local client_request = require "aio.http.client_request"
local client_timeout = require "aio.http.client_timeout"
local connector = require "aio.http.connector"
local cookies = require "aio.http.cookies"
local exchange = require "aio.http.exchange"
local redirect = require "aio.http.redirect"
local target = require "aio.http.target"
local trace = require "aio.http.trace"

local M = {}

local MAX_REDIRECTS = 10
local DECODED = 64 * 1024 * 1024 -- bytes of a body that was compressed, when it is read as a whole
local MOST_TARGETS = 512 -- URLs that a session remembers
local NOTHING = setmetatable({}, { __newindex = function() error "not to be changed" end })
local NO_HISTORY = {}

local ClientSession = { _kind = "the session" }
ClientSession.__index = ClientSession
ClientSession.__name = "ClientSession"

-- ---- options of a session ----

local OPTIONS = {
  base_url = true, headers = true, cookies = "table", cookie_jar = true, auth = true,
  timeout = true, connector = "table", middlewares = "table", raise_for_status = true,
  auto_decompress = "boolean", trust_env = "boolean", trace = "table", limits = "table",
  version = "string", proxy = true, connector_owner = "boolean",
}

local function check_middlewares(list, n, name)
  for i, fn in ipairs(list or {}) do
    check.arg(check.callable(fn), n, name,
      ("option 'middlewares': item %d: function(req, next) expected, got %s"):format(i, type(fn)))
  end
  return list and #list > 0 and list or nil
end

local function check_raise(value, n, name)
  check.arg(value == nil or type(value) == "boolean" or check.callable(value), n, name,
    "option 'raise_for_status': boolean, or function of a response, expected")
  return value
end

-- Limits of a head are the parser's, those of a body the session's.
local HEAD_LIMITS = { line = true, field = true, fields = true, head = true, trailers = true }
local BODY_LIMITS = { body = true, decoded = true }

local function split_limits(limits, n, name)
  local head, body = nil, { body = math.huge, decoded = DECODED }
  for key, value in pairs(limits or {}) do
    check.arg(HEAD_LIMITS[key] or BODY_LIMITS[key], n, name, ("option 'limits': unknown limit '%s' "
      .. "(there is: body, decoded, field, fields, head, line, trailers)"):format(tostring(key)))
    check.arg(math.type(value) == "integer" and value > 0, n, name,
      ("option 'limits': '%s': a positive integer expected"):format(key))
    if HEAD_LIMITS[key] then
      head = head or {}
      head[key] = value
    else
      body[key] = value
    end
  end
  return head, body
end

local function check_jar(jar, n, name)
  if jar == nil then return cookies.CookieJar() end
  check.arg(cookies.is_jar(jar), n, name, "option 'cookie_jar': http.CookieJar expected")
  return jar
end

local function check_base(base, n, name)
  if base == nil then return nil end
  local to = target.parse(target.text(base, n, name))
  -- "a/b" is looked for beside the last segment: without the slash that would be lost, unseen
  check.arg(to.path:gsub("%?.*", ""):find "/$", n, name,
    "option 'base_url': end its path with /, else its last part is left out")
  return to.text
end

local function check_connector(value, n, name)
  check.arg(value == nil or type(value._acquire) == "function", n, name,
    "option 'connector': http.Connector expected")
  return value or connector.Connector()
end

-- Is the connection to be closed after this request, and is it to change its protocol?
local function fate_of(self, headers)
  local connection = client_request.field(headers, "connection")
  if connection and connection:lower() == "upgrade" then return false, true end
  if connection then client_request.take_out(headers, "connection") end
  return self.connector._pool._keepalive <= 0
    or connection ~= nil and connection:lower() == "close"
end

local function new_session(opts)
  opts = check.options(opts, OPTIONS, 1, "ClientSession")
  local n, name = 1, "ClientSession"
  check.arg(not opts.version or opts.version == "1.1", n, name,
    "option 'version': \"1.1\" expected")
  local decompress = opts.auto_decompress ~= false
  local head_limits, body_limits = split_limits(opts.limits, n, name)
  local credentials = auth.check(opts.auth, "auth", n, name)
  local self = setmetatable({
    connector = check_connector(opts.connector, n, name), _owns = opts.connector_owner ~= false,
    cookie_jar = check_jar(opts.cookie_jar, n, name), closed = false,
    _base = check_base(opts.base_url, n, name), _cookies = opts.cookies,
    _defaults = client_request.defaults(opts.headers, decompress, n, name),
    _auth = credentials and credentials.header, _auto_decompress = decompress,
    _timeout = client_timeout.check(opts.timeout, n, name) or client_timeout.default,
    _middlewares = check_middlewares(opts.middlewares, n, name),
    _raise = check_raise(opts.raise_for_status, n, name), _trust_env = opts.trust_env,
    _proxy = opts.proxy and target.text(opts.proxy, n, name) or nil,
    _trace = trace.check(opts.trace, n, name), _limits = head_limits, _body_limits = body_limits,
    _targets = {}, _targets_n = 0,
  }, ClientSession)
  self._closes = fate_of(self, self._defaults)
  return self
end

-- ---- sessions that nobody closes ----

-- In debug mode a session has one, which goes when it goes.
local Watch = { __gc = function(w)
  if w.session.closed then return end
  pcall(w.loop.call_soon, w.loop, w.loop.call_exception_handler, w.loop, {
    message = ("Unclosed client session, made at %s; close it, or write local session <close>")
      :format(w.where), kind = "unclosed", level = "warning",
  })
end }

-- For the leak check.
function ClientSession._left(self) return not self.closed and "client session" end

--- A client: connections, cookies and settings that many requests share.
---@param opts? table base_url (what relative URLs are relative to), headers, cookies (sent with
---  each request to the origin that is asked), cookie_jar, auth (http.basic_auth), timeout
---  (http.Timeout{...} or seconds), connector, connector_owner (false: it stays open when the
---  session is closed), middlewares (list of function(req, next)), raise_for_status (true, or a
---  function of the response), auto_decompress (true), trust_env (true: proxies of the
---  environment, and credentials of the file netrc), proxy (a URL), trace (functions, see docs),
---  limits ({ line=, field=, fields=, head=, body=, decoded= }), version ("1.1")
---@return table ClientSession
function M.ClientSession(opts)
  local self, loop = new_session(opts), core._running()
  if loop and loop:get_debug() then
    self._loop = loop
    self._watch = setmetatable({ session = self, loop = loop, where = core._where() }, Watch)
    core._note_made(self)
  end
  return self
end

-- ---- options of a request ----

local REQUEST = {
  params = true, headers = true, cookies = "table", data = true, json = true, form = true,
  multipart = true, auth = true, allow_redirects = "boolean", max_redirects = "number",
  compress = true, expect100 = "boolean", proxy = true, proxy_headers = true, timeout = true,
  ssl = true, server_hostname = "string", raise_for_status = true, on_progress = "function",
  middlewares = "table", trace_request_ctx = true,
}

-- The target of a URL; those without params are remembered.
local function target_of(self, url, params, n, name)
  local text = target.text(url, n, name)
  if params ~= nil then text = target.with_params(text, params, n + 1, name) end
  local to = self._targets[text]
  if to then return to end
  to = target.parse(text, self._base)
  if params == nil then
    if self._targets_n >= MOST_TARGETS then self._targets, self._targets_n = {}, 0 end
    self._targets[text], self._targets_n = to, self._targets_n + 1
  end
  return to
end

local function proxy_fields(headers, n, name)
  local flat = client_request.flatten(headers, n, name)
  for i = 1, #flat, 2 do
    local wrong = hc.check_field(flat[i], flat[i + 1])
    check.arg(not wrong, n, name, ("option 'proxy_headers': %s"):format(wrong))
  end
  return flat
end

-- What is special about the way to the server; nil when nothing is.
local function how_of(self, opts, n, name)
  local via = opts.proxy
  if via == nil then via = self._proxy end
  if not (via or self._trust_env or opts.ssl ~= nil or opts.server_hostname) then return nil end
  return {
    ssl = connector.check_ssl(opts.ssl, n, name), server_hostname = opts.server_hostname,
    proxy = via and target.text(via, n, name) or nil, trust_env = via == nil and self._trust_env,
    proxy_fields = opts.proxy_headers and proxy_fields(opts.proxy_headers, n, name) or nil,
  }
end

local function check_redirects(opts, n, name)
  if name == "head" and opts.allow_redirects == nil then return nil end
  local most = opts.max_redirects or MAX_REDIRECTS
  check.arg(math.tointeger(most) and most >= 0, n, name,
    "option 'max_redirects': an integer, not negative, expected")
  return opts.allow_redirects ~= false and most or nil
end

-- Those of the session and of the request: they go to the origin that is asked, and no further.
local function own_cookies(self, opts)
  if not (opts.cookies and self._cookies) then return opts.cookies or self._cookies end
  local all = {}
  for key, value in pairs(self._cookies) do all[key] = value end
  for key, value in pairs(opts.cookies) do all[key] = value end
  return all
end

-- Fields and body of a request. One that has nothing of its own shares the session's fields, which
-- nobody changes.
local function describe(self, hop, opts, n, name)
  if opts == NOTHING then
    hop.headers, hop.close = self._defaults, self._closes
    return
  end
  local headers = client_request.fields(self, opts, n, name)
  hop.headers, hop.body = headers, client_request.body(headers, opts, n, name)
  hop.close, hop.upgrade = fate_of(self, headers)
  hop.close = hop.close or self._closes
end

-- The request as it is before its first hop.
local function new_hop(self, method, to, opts, n, name)
  local limits = client_timeout.check(opts.timeout, n, name) or self._timeout
  local loop = core._running() or core._check_wait()
  local hop = {
    session = self, connector = self.connector, loop = loop, limits = limits, n = n, fn = name,
    deadline = limits.total and loop:time() + limits.total or nil, method = method, target = to,
    how = how_of(self, opts, n, name), cookies = own_cookies(self, opts),
    expect = opts.expect100, on_progress = opts.on_progress, history = NO_HISTORY,
    trace_request_ctx = opts.trace_request_ctx,
  }
  describe(self, hop, opts, n, name)
  local credentials = auth.check(opts.auth, "auth", n, name)
  hop.auth = credentials and credentials.header or self._auth
  if to.user and not credentials then redirect.take_credentials(hop, to) end
  if self._trust_env and not hop.auth then
    hop.auth = require("aio.http.netrc").header(self, to.host)
  end
  return hop
end

-- ---- one hop ----

-- The end of the chain of middlewares: what they have changed in the request counts.
local function send(req)
  if req.url ~= req.shown_url then
    req.target = target.parse(tostring(req.url), req.session._base)
    req.shown_url = req.url
  end
  client_request.set_place(req)
  client_request.set_head(req)
  return exchange.exchange(req)
end

local function chain(list, at, last)
  if at > #list then return last end
  local rest = chain(list, at + 1, last)
  return function(req) return list[at](req, rest) end
end

-- What a middleware sees is one hop, which is its own.
local function shown(hop)
  local req = setmetatable({}, { __index = hop })
  req.url = client_request.url_of(hop.target)
  req.shown_url, req.shown = req.url, true
  req.headers = require("aio.http.headers").Headers()
  for i = 1, #hop.headers, 2 do req.headers:add(hop.headers[i], hop.headers[i + 1]) end
  return req
end

local function run_hop(hop, middlewares)
  if not middlewares then
    client_request.set_place(hop)
    client_request.set_head(hop)
    return exchange.exchange(hop)
  end
  return chain(middlewares, 1, send)(shown(hop))
end

local function take_cookies(self, res)
  local list = {}
  for _, text in ipairs(res.headers:get_all "set-cookie") do
    list[#list + 1] = hc.parse_set_cookie(text)
  end
  res._set_cookies = list
  self.cookie_jar:update_cookies(list, client_request.url_of(res._target))
end

-- ---- all hops ----

-- Calls what may raise while nobody has the response yet.
local function with_response(res, fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then return end
  res:release()
  error(err, 0)
end

local function report_redirect(hop, res)
  if hop.trace then hop.trace("request_redirect", { response = res }) end
end

local function run(self, hop, middlewares, most)
  while true do
    local res = run_hop(hop, middlewares)
    if res.headers["set-cookie"] then with_response(res, take_cookies, self, res) end
    local location = most and redirect.location(res)
    if not location then return res end
    hop.history = table.move(hop.history, 1, #hop.history, 1, {})
    hop.history[#hop.history + 1] = res
    res:release()
    report_redirect(hop, res)
    redirect.follow(hop, res, location, most)
  end
end

local function judge(res, verdict)
  if verdict == true then
    res:raise_for_status()
  elseif verdict then
    with_response(res, verdict, res)
  end
end

local function traced(self, hop, middlewares, most)
  hop.url = client_request.url_of(hop.target)
  hop.trace = trace.reporter(self._trace, hop)
  hop.trace("request_start", { headers = hop.headers })
  local ok, res = pcall(run, self, hop, middlewares, most)
  if ok then
    with_response(res, hop.trace, "request_end", { response = res })
    return res
  end
  hop.trace("request_exception", { exception = res })
  error(res, 0)
end

local function perform(self, method, url, opts, name, n)
  if self.closed then check.state "this session is closed; make another one" end
  check.arg(method ~= "CONNECT", 1, name, "CONNECT is for the option 'proxy', which tunnels https")
  opts = opts and check.options(opts, REQUEST, n, name) or NOTHING
  local to = target_of(self, url, opts.params, n - 1, name)
  local hop = new_hop(self, method, to, opts, n, name)
  local middlewares = opts.middlewares and check_middlewares(opts.middlewares, n, name)
    or self._middlewares
  local verdict = check_raise(opts.raise_for_status, n, name)
  if verdict == nil then verdict = self._raise end
  local most = check_redirects(opts, n, name)
  local res = (self._trace and traced or run)(self, hop, middlewares, most)
  if verdict then judge(res, verdict) end
  return res
end

-- ---- for users ----

local function check_method(method)
  check.arg(type(method) == "string", 1, "request", "method expected, got " .. type(method))
  if method:find "^[%w!#$%%&'*+%-.^_`|~]+$" then return end
  check.argerror(1, "request", ("a method that is no token: %q"):format(method:sub(1, 80)))
end

--- Sends a request and waits for the head of the response. [suspends] Raises InvalidURL,
--- ClientConnectionError, ClientResponseError (TooManyRedirects, BadResponse), TimeoutError.
---@param method string "GET", or any other
---@param url string|table relative to base_url
---@param opts? table params, headers, cookies, data, json, form, multipart, auth, allow_redirects
---  (true), max_redirects (10), compress, expect100, proxy, proxy_headers, timeout, ssl,
---  server_hostname, raise_for_status, on_progress(done, total or nil), middlewares
---@return table ClientResponse
function ClientSession:request(method, url, opts)
  check.self(self, ClientSession, "request")
  check_method(method)
  return perform(self, method:upper(), url, opts, "request", 3)
end

for _, verb in ipairs { "get", "post", "put", "patch", "delete", "head", "options" } do
  local method = verb:upper()

  --- Sends a request of this method, see request. [suspends]
  ---@param url string|table
  ---@param opts? table
  ---@return table ClientResponse
  ClientSession[verb] = function(self, url, opts)
    check.self(self, ClientSession, verb)
    return perform(self, method, url, opts, verb, 2)
  end

  --- The same with a session of its own, which ends with the response. [suspends]
  M[verb] = function(url, opts) return M.request(method, url, opts, verb) end
end

--- Opens a WebSocket. [suspends] Raises WSServerHandshakeError and what `get` raises.
---@param url string|table of ws, wss, http or https
---@param opts? table those of a request but for its body, and those of a WebSocket: protocols,
---  compress, heartbeat, max_msg_size, origin
---@return table WebSocket
function ClientSession:ws_connect(url, opts)
  check.self(self, ClientSession, "ws_connect")
  return require("aio.http.ws_connect").connect(self, url, opts, perform, REQUEST)
end

--- Closes the session, and its connector unless that is somebody else's (`connector_owner`). May be
--- repeated. [suspends]
function ClientSession:close()
  check.self(self, ClientSession, "close")
  if self.closed then return end
  self.closed = true
  if self._owns then self.connector:close() end
end

function ClientSession:__close() self:close() end

function ClientSession:__tostring()
  return ("ClientSession (%s%s)"):format(self._base or "no base_url",
    self.closed and ", closed" or "")
end

--- One request with a session of its own, which ends with the response. [suspends]
---@param method string
---@param url string|table
---@param opts? table as of ClientSession:request
---@param name? string of the function that errors blame, such as "get"
---@return table ClientResponse
function M.request(method, url, opts, name)
  check_method(method)
  local session = new_session()
  local function ended()
    session.closed = true
    session.connector:_shut()
  end
  local ok, res = pcall(perform, session, method:upper(), url, opts, name or "request",
    name and 2 or 3)
  if not ok then
    ended()
    error(res, 0)
  end
  res:_when_done(ended)
  return res
end

M.class = ClientSession

return M
