-- SPDX-License-Identifier: MIT
-- The HTTP client over TLS and through proxies.

local env = require "support.env"
local lu = require "luaunit"

if not (env.has_http() and env.has_tls()) then
  return { test_nothing = function() lu.skip "built without http or tls" end }
end

local aio = require "aio"
local certs = require "support.certs"
local http = require "aio.http"
local proxies = require "aio.http.proxy"
local raw = require "support.raw_http"

local raised, response = raw.raised, raw.response

local T = {}

local server_context = aio.ssl_context { cert = certs.server, key = certs.server_key }
local trusting = aio.ssl_context { ca = certs.ca }

local function echo(head, body) return response(head.text .. body) end

-- ---- TLS ----

T.test_tls = raw.case(function()
  local server <close> = raw.answering(echo, { ssl = server_context })
  local session <close> = http.ClientSession { connector = http.Connector { ssl = trusting } }
  local _ <close> = session.connector
  local url = ("https://localhost:%d/x"):format(server.port)
  lu.assertStrContains(session:get(url):text(), "GET /x ")
  lu.assertStrContains(session:get(url):text(), ("Host: localhost:%d"):format(server.port))
  lu.assertEquals(server.connections, 1)
  -- another name is another connection
  session:get(server.url)
  lu.assertEquals(server.connections, 2)
  session:get(server.url, { server_hostname = "localhost" })
  lu.assertEquals(server.connections, 3)
end)

T.test_certificates_that_are_refused = raw.case(function()
  local server <close> = raw.answering(echo, { ssl = server_context })
  local session <close> = http.ClientSession()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(function() end) -- the server's handshakes fail
  local err = raised(http.ClientConnectorCertificateError, session.get, session, server.url)
  lu.assertTrue(aio.is(err, http.ClientSSLError, http.ClientConnectorError))
  lu.assertTrue(aio.is(err.os_error, aio.SSLCertVerificationError))
  raised(http.ClientConnectorCertificateError, session.get, session, server.url,
    { ssl = trusting, server_hostname = "other.test" })
  lu.assertEquals(session:get(server.url, { ssl = trusting }).status, 200)
  -- a connection that was verified by one context is not used for another
  raised(http.ClientConnectorCertificateError, session.get, session, server.url)
  local careless = aio.ssl_context { verify = false }
  lu.assertEquals(session:get(server.url, { ssl = careless }).status, 200)
  raised(http.ClientConnectorCertificateError, session.get, session, server.url, { ssl = true })
end)

T.test_no_tls_there = raw.case(function()
  local server <close> = raw.serve(function(conn)
    conn:read(1)
    conn:write "HTTP/1.1 400 Bad Request\r\n\r\n"
  end)
  local session <close> = http.ClientSession()
  raised(http.ClientConnectorSSLError, session.get, session, (server.url:gsub("http", "https")))
end)

T.test_a_body_over_tls_that_is_cut_short = raw.case(function()
  local server <close> = raw.serve(function(conn)
    raw.head(conn)
    conn:write "HTTP/1.1 200 OK\r\n\r\nup to the end"
    aio.sleep(0.1)
    conn:abort() -- without the end that TLS announces
  end, { ssl = server_context })
  local session <close> = http.ClientSession()
  local res = session:get(server.url, { ssl = trusting })
  raised(http.ClientPayloadError, res.read, res)
end)

T.test_a_redirect_to_plain_http_takes_nothing_along = raw.case(function()
  local plain <close> = raw.answering(echo)
  local server <close> = raw.answering(function()
    return response("", ("Location: %s/x\r\n"):format(plain.url), "302 Found")
  end, { ssl = server_context })
  local session <close> = http.ClientSession()
  local text = session:get(server.url, { ssl = trusting, auth = http.basic_auth("u", "p"),
    server_hostname = "localhost" }):text()
  lu.assertNil(text:find("Authorization", 1, true))
end)

-- ---- proxies ----

-- Copies one direction.
local function pump(from, to)
  aio.catch({ aio.OSError, aio.RuntimeError }, function() -- either may be closed meanwhile
    for data in function() return from:read(65536) end do to:write(data) end
    if to:can_write_eof() then to:write_eof() else to:close() end
  end)
end

-- A proxy: tunnels, and forwards what is asked for as a whole URL. `seen` are the heads.
local function proxy(seen, opts, refusal)
  return raw.serve(function(conn)
    for head in raw.head, conn do
      seen[#seen + 1] = head
      local host, port = head.target:match "^([^/:]+):(%d+)$"
      if refusal then return conn:write(refusal) end
      if host then
        local there <close> = aio.open_connection(host, tonumber(port))
        conn:write "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n"
        local back <close> = aio.create_task(pump, there, conn)
        pump(conn, there)
        back:await()
        return
      end
      conn:write(response("by the proxy: " .. head.target))
    end
  end, opts)
end

T.test_a_proxy_is_asked_for_the_whole_url = raw.case(function()
  local seen = {}
  local via <close> = proxy(seen)
  local session <close> = http.ClientSession { proxy = via.url:gsub("//", "//us:pw@") }
  local res = session:get("http://name.test/a?b=c#d", { proxy_headers = { ["X-Proxy"] = "1" },
    headers = { ["X-Server"] = "2" } })
  lu.assertEquals(res:text(), "by the proxy: http://name.test/a?b=c")
  lu.assertEquals(seen[1].host, "name.test")
  lu.assertEquals(seen[1]["proxy-authorization"], "Basic dXM6cHc=")
  lu.assertEquals(seen[1]["x-proxy"], "1")
  lu.assertEquals(seen[1]["x-server"], "2")
  session:get "http://name.test/again"
  lu.assertEquals(via.connections, 2) -- other fields for the proxy: another place
end)

T.test_a_tunnel = raw.case(function()
  local seen = {}
  local server <close> = raw.answering(echo, { ssl = server_context })
  local via <close> = proxy(seen)
  local session <close> = http.ClientSession { proxy = via.url:gsub("//", "//us:pw@") }
  local opts = { ssl = trusting, proxy_headers = { ["X-Proxy"] = "1" },
    headers = { ["X-Server"] = "2" } }
  for _ = 1, 2 do
    local text = session:get(server.url .. "/x", opts):text()
    lu.assertStrContains(text, "GET /x HTTP/1.1")
    lu.assertStrContains(text, "X-Server: 2")
    lu.assertNil(text:find("[Pp]roxy"))
  end
  lu.assertEquals(#seen, 1)
  lu.assertEquals(seen[1].line, ("CONNECT 127.0.0.1:%d HTTP/1.1"):format(server.port))
  lu.assertEquals(seen[1]["proxy-authorization"], "Basic dXM6cHc=")
  lu.assertEquals(seen[1]["x-proxy"], "1")
  lu.assertNil(seen[1]["x-server"])
end)

T.test_tls_to_the_proxy_and_through_it = raw.case(function()
  local seen = {}
  local server <close> = raw.answering(echo, { ssl = server_context })
  local via <close> = proxy(seen, { ssl = server_context })
  local connector <close> = http.Connector { ssl = trusting }
  local session <close> = http.ClientSession { connector = connector }
  lu.assertStrContains(session:get(server.url .. "/x", { proxy = via.url }):text(), "GET /x ")
  lu.assertEquals(session:get("http://a.test/", { proxy = via.url }):text(),
    "by the proxy: http://a.test/")
  lu.assertEquals(#seen, 2)
end)

T.test_a_proxy_that_refuses = raw.case(function()
  for status, class in pairs { ["407 Who are you"] = http.ClientHttpProxyError,
    ["302 Found"] = http.ClientHttpProxyError } do
    local via <close> = proxy({}, nil, response("no", "", status))
    local session <close> = http.ClientSession()
    local err = raised(class, session.get, session, "https://a.test/", { proxy = via.url })
    lu.assertEquals(err.status, tonumber(status:sub(1, 3)))
    lu.assertStrContains(tostring(session.connector), "0 in use, 0 idle")
  end
end)

T.test_a_proxy_that_is_none = raw.case(function()
  local session <close> = http.ClientSession()
  for answer, class in pairs { ["SSH-2.0\r\n\r\n"] = http.BadResponse,
    [""] = http.ServerDisconnectedError,
    [("HTTP/1.1 100 Continue\r\n\r\n"):rep(30)] = http.BadResponse } do
    local via <close> = proxy({}, nil, answer)
    raised(class, session.get, session, "https://a.test/", { proxy = via.url })
  end
  local gone = raw.serve(function() end)
  do local _ <close> = gone end
  local err = raised(http.ClientProxyConnectionError, session.get, session, "http://a.test/",
    { proxy = gone.url })
  lu.assertStrContains(err.message, "cannot connect to the proxy 127.0.0.1:")
  raised(http.NonHttpUrlClientError, session.get, session, "http://a.test/",
    { proxy = "socks9://a.test" })
end)

T.test_a_tunnel_has_limits_of_time = raw.case(function()
  local via <close> = raw.serve(function(conn) conn:read "a" end)
  local session <close> = http.ClientSession()
  raised(http.ConnectionTimeoutError, session.get, session, "https://a.test/",
    { proxy = via.url, timeout = http.Timeout { sock_connect = 3 } })
  local task = aio.create_task(session.get, session, "https://a.test/", { proxy = via.url })
  aio.sleep(1)
  task:cancel()
  aio.wait { task }
  lu.assertStrContains(tostring(session.connector), "0 in use, 0 idle")
end)

-- ---- the environment ----

function T.test_names_that_go_without_a_proxy()
  local list = "localhost, .internal,example.com:8080 10.0.0.1 *.wild.test"
  for host, expected in pairs { localhost = true, ["a.internal"] = true, ["internal"] = true,
    ["a.localhost"] = true, ["example.com"] = false, ["10.0.0.1"] = true, ["x10.0.0.1"] = false,
    ["110.0.0.1"] = false, ["a.wild.test"] = true, ["notinternal"] = false } do
    lu.assertEquals(proxies.bypassed(list, host, 80), expected, host)
  end
  lu.assertTrue(proxies.bypassed(list, "a.example.com", 8080))
  lu.assertTrue(proxies.bypassed("*", "a.test", 80))
  lu.assertFalse(proxies.bypassed(nil, "a.test", 80))
end

-- A program with an environment of its own; what it prints.
local function run_with(settings, code)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(code)
  file:close()
  local pipe = assert(io.popen(("env -u http_proxy -u https_proxy -u no_proxy %s %s 2>&1"):format(
    settings, env.command(path))))
  local text = pipe:read "a"
  pipe:close()
  os.remove(path)
  return text
end

function T.test_the_environment()
  local code = [[
    local proxy, target = require "aio.http.proxy", require "aio.http.target"
    for _, url in ipairs { "http://a.test/", "https://a.test/", "http://b.test/" } do
      io.write(tostring(proxy.from_environment(target.parse(url))), " ")
    end]]
  lu.assertEquals(run_with("HTTP_PROXY=http://p:1 HTTPS_PROXY=q:2 NO_PROXY=b.test", code),
    "http://p:1 http://q:2 nil ")
  lu.assertEquals(run_with("ALL_PROXY=http://r:3 http_proxy=http://s:4", code),
    "http://s:4 http://r:3 http://s:4 ")
  -- a header "Proxy:" of somebody who asks a CGI program
  lu.assertEquals(run_with("REQUEST_METHOD=GET HTTP_PROXY=http://evil:1", code), "nil nil nil ")
  lu.assertEquals(run_with("", code), "nil nil nil ")
end

T.test_the_environment_is_asked_when_it_is_trusted = raw.case(function()
  local via <close> = proxy {}
  local session <close> = http.ClientSession { trust_env = true }
  local getenv = os.getenv
  local _ <close> = aio.defer(rawset, os, "getenv", getenv)
  rawset(os, "getenv", function(name) return name == "http_proxy" and via.url or nil end)
  lu.assertEquals(session:get("http://a.test/"):text(), "by the proxy: http://a.test/")
end)

-- ---- credentials of the environment ----

function T.test_what_a_netrc_says()
  local parse = require("aio.http.netrc").parse
  for text, wanted in pairs {
    [""] = {}, ["machine"] = {}, ["machine a"] = { a = {} }, ["login x password y"] = {},
    ["machine A.test login ann password s#1"] =
      { ["a.test"] = { login = "ann", password = "s#1" } },
    ["# machine no\nmachine a\n\tuser u # login v\n password p"] =
      { a = { login = "u", password = "p" } },
    ["machine a login u password p machine a login v"] = { a = { login = "u", password = "p" } },
    ["macdef init\nmachine no login n\n\ndefault login d password e"] =
      { [""] = { login = "d", password = "e" } },
    ['machine a login "b c\\"" password "open'] = { a = { login = 'b c"', password = "open" } },
    ['machine a password "\\'] = { a = { password = "" } }, ["what is this"] = {},
  } do
    lu.assertEquals(parse(text), wanted, text)
  end
end

T.test_a_netrc_is_read_when_the_environment_is_trusted = raw.case(function()
  local server <close> = raw.answering(function(head)
    return response(head.authorization or "none")
  end)
  local folder = aio.fs.mkdtemp()
  local _ <close> = aio.defer(aio.fs.remove, folder, { recursive = true })
  aio.fs.write(folder .. "/.netrc", "machine 127.0.0.1 login ann password secret\n")
  local getenv, home = os.getenv, folder
  local _ <close> = aio.defer(rawset, os, "getenv", getenv)
  rawset(os, "getenv", function(name) return name == "HOME" and home or nil end)
  local function said(opts, more)
    local session <close> = http.ClientSession(opts)
    return session:get(server.url, more):text()
  end
  local ann = http.basic_auth("ann", "secret").header
  lu.assertEquals(said { trust_env = true }, ann)
  lu.assertEquals(said {}, "none")
  lu.assertEquals(said({ trust_env = true }, { auth = http.basic_auth("u", "p") }), "Basic dTpw")
  lu.assertEquals(said({ trust_env = true }, { headers = { Authorization = "mine" } }), "mine")
  local from <close> = raw.answering(function()
    return response("", "Location: " .. server.url .. "/\r\n", "302 Found")
  end)
  local session <close> = http.ClientSession { trust_env = true }
  lu.assertEquals(session:get(from.url):text(), "none") -- another origin: another port
  home = folder .. "/none"
  lu.assertEquals(said { trust_env = true }, "none")
end)

return T
