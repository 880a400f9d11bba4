-- Passes requests on to a server behind it, and the answers back, both as streams: nothing is held
-- longer than it takes to pass it on, and who is slow makes the other side wait.
--   lua5.4 examples/reverse_proxy.lua [port [http://BACKEND]]
-- Without a backend it has one of its own, which says what it was asked.

local aio = require "aio"
local http = require "aio.http"

-- Fields that are for one connection, and those that each side makes by itself.
local NOT_PASSED_ON = {
  connection = true, ["keep-alive"] = true, ["proxy-authenticate"] = true,
  ["proxy-authorization"] = true, te = true, trailer = true, ["transfer-encoding"] = true,
  upgrade = true, host = true, ["content-length"] = true, expect = true, date = true,
  server = true,
}

local function passed_on(headers)
  local left_out, out = {}, http.Headers()
  for name in (headers["connection"] or ""):gmatch "[^%s,]+" do left_out[name:lower()] = true end
  for name, value in pairs(headers) do
    if not NOT_PASSED_ON[name:lower()] and not left_out[name:lower()] then out:add(name, value) end
  end
  return out
end

local function request_headers(req)
  local headers = passed_on(req.headers)
  local before = headers["X-Forwarded-For"]
  headers["X-Forwarded-For"] = before and before .. ", " .. req.remote or req.remote
  headers["X-Forwarded-Host"] = req.host
  headers["X-Forwarded-Proto"] = req.scheme
  if req.content_length and req.body_exists then
    headers["Content-Length"] = tostring(req.content_length)
  end
  for _, name in ipairs { "User-Agent", "Accept", "Accept-Encoding" } do
    if not headers:has(name) then headers:add(name, "") end -- no default of ours
  end
  return headers
end

local function ask(session, backend, req)
  return session:request(req.method, backend .. req.raw_path, {
    headers = request_headers(req), data = req.body_exists and req.content or nil,
    allow_redirects = false,
  })
end

-- The answer of the backend as ours; its connection is given back when all has been passed on.
local function answer(res)
  local length = tonumber(res.headers["content-length"])
  return http.stream(function(out)
    local _ <close> = res
    for chunk in res:chunks() do out:write(chunk) end
  end, { status = res.status, headers = passed_on(res.headers), length = length })
end

local function forwarder(session, backend)
  return function(req)
    local ok, res = aio.catch({ http.ClientError, aio.TimeoutError }, ask, session, backend, req)
    if ok then return answer(res) end
    if aio.is(res, aio.TimeoutError) then error(http.GatewayTimeout()) end
    error(http.BadGateway())
  end
end

-- ---- without a backend ----

local function own_backend()
  local app = http.Application { client_max_size = math.huge }
  app:route("*", "/{path:.*}", function(req)
    local n = 0
    for chunk in req.content:chunks() do n = n + #chunk end
    return ("%s %s for %s, %d bytes\n"):format(req.method, req.raw_path,
      req.headers["X-Forwarded-Host"] or "nobody", n)
  end)
  local runner = http.AppRunner(app)
  runner:setup()
  local site = http.TCPSite(runner, "127.0.0.1", 0)
  site:start()
  return "http://127.0.0.1:" .. site.port, runner
end

aio.main(function(port, backend)
  io.stdout:setvbuf "line"
  local url, runner = backend, nil
  if (url or "") == "" then url, runner = own_backend() end
  local _ <close> = aio.defer(function() if runner then runner:cleanup() end end)
  local session <close> = http.ClientSession {
    auto_decompress = false, cookie_jar = http.DummyCookieJar(),
    timeout = http.Timeout { total = false, sock_connect = 10, sock_read = 60 },
    connector = http.Connector { limit = 1000 },
  }
  local app = http.Application { client_max_size = math.huge }
  app:route("*", "/{path:.*}", forwarder(session, (url:gsub("/$", ""))))
  http.run_app(app, { host = "127.0.0.1", port = tonumber(port or 8081), print = function(text)
    print((text:gsub("^.*http://(127[%d.]+:%d+).*$", "listening on %1")))
  end, shutdown_timeout = 5, access_log = false })
end, ...)
