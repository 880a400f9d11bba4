-- SPDX-License-Identifier: MIT
-- What a request knows of its surroundings: the connection below, the applications around.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local kit = require "aio.http.testing"
local support = require "support.http"

local T = {}

local serve, get = support.serve, support.get

-- ---- the connection ----

function T.test_extra_info()
  local seen
  serve(function(app)
    app:get("/", function(req)
      seen = {
        peer = req:get_extra_info "peername", here = req:get_extra_info "sockname",
        cert = req:get_extra_info "peercert", none = req:get_extra_info("nothing", "unset"),
      }
      return "ok"
    end)
  end, function(server)
    local raw <close> = server:connect()
    raw:ask(get "/")
    lu.assertEquals(seen.peer.port, raw.conn:get_extra_info("sockname").port)
    lu.assertEquals(seen.here.port, server.port)
    lu.assertEquals({ seen.cert, seen.none }, { nil, "unset" })
  end)
  lu.assertEquals(kit.request("GET", "/"):get_extra_info("peername", 5), 5)
  lu.assertErrorMsgContains("write a colon before 'get_extra_info'",
    kit.request("GET", "/").get_extra_info, "peername")
end

-- ---- credentials ----

function T.test_credentials_of_a_client()
  local function asked(header)
    local auth = http.parse_basic_auth(header)
    return auth and auth.user .. "|" .. auth.password
  end
  lu.assertEquals(asked "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin|open sesame")
  lu.assertEquals(asked "basic  dTpw5A", "u|p\xE4") -- without padding, and no UTF-8
  lu.assertEquals(asked "BASIC Og==", "|")
  lu.assertEquals(asked "Basic YTpiOmM=", "a|b:c")
  for size = 0, 9 do -- all lengths there and back
    local auth = http.basic_auth(("u"):rep(size), ("\xFF"):rep(size // 2))
    lu.assertEquals(asked(auth.header), auth.user .. "|" .. auth.password)
  end
  for _, header in ipairs { "", "Basic", "Basic ", "Bearer dTpw", "Basic dTpw dTpw", "Basic dT",
    "Basic dTpwA", "Basic dTpw=", "Basic dT=w", "Basic dTpw====", "Basic dT*w", "Basic dXA=",
    "Basic dToKcA==" } do
    lu.assertNil(asked(header), header)
  end
  lu.assertNil(asked(nil))
  lu.assertErrorMsgContains("Authorization header", http.parse_basic_auth, {})
end

-- Who has a certificate is let in, and known by its name.
function T.test_certificate_of_a_client()
  if not env.has_tls() then lu.skip "no library for TLS" end
  local certs = require "support.certs"
  local context = aio.ssl_context {
    cert = certs.server, key = certs.server_key, client_ca = certs.ca, verify = "optional",
  }
  serve(function(app)
    app:get("/", function(req)
      lu.assertEquals(req:get_extra_info "sslcontext", context)
      local cert = req:get_extra_info "peercert"
      if not cert then error(http.Forbidden()) end
      return cert.subject.commonName .. " " .. req:get_extra_info("cipher").protocol
    end)
  end, function(server)
    for _, case in ipairs {
      { { ca = certs.ca, cert = certs.client, key = certs.client_key }, 200, "client TLSv1.3" },
      { { ca = certs.ca }, 403, "403: Forbidden" },
    } do
      local raw <close> = server:connect {
        ssl = aio.ssl_context(case[1]), server_hostname = "localhost",
      }
      local res = raw:ask(get "/")
      lu.assertEquals({ res.status, res.body }, { case[2], case[3] })
    end
  end, { ssl = context })
end

-- ---- the applications ----

function T.test_values_of_the_applications_around()
  serve(function(app)
    local api, v1, other = http.Application(), http.Application(), http.Application()
    app.name, app.db, app.flag = "outer", "database", true
    api.name, api.flag = "api", false
    v1.own = "v1"
    v1:get("/", function(req)
      local config = req.config_dict
      lu.assertTrue(config == req.config_dict)
      return http.json { config.name, config.db, config.own, config.flag, config.none == nil,
        config.get == nil }
    end)
    v1:get("/set", function(req) req.config_dict.name = "x" end)
    other:get("/", function(req) return req.config_dict.name .. req.config_dict.db end)
    app:get("/", function(req) return req.config_dict.name end)
    api:mount("/v1", v1)
    app:mount("/api", api)
    app:host("other.test", other)
  end, function(server)
    local raw <close> = server:connect()
    lu.assertEquals(raw:ask(get "/api/v1").body, '["api","database","v1",false,true,true]')
    lu.assertEquals(raw:ask(get "/").body, "outer")
    local text = get("/"):gsub("Host: h", "Host: other.test")
    lu.assertEquals(raw:ask(text).body, "outerdatabase")
    local reported
    aio.get_running_loop():set_exception_handler(function(_, ctx) reported = ctx.exception end)
    lu.assertEquals(raw:ask(get "/api/v1/set").status, 500)
    lu.assertStrContains(tostring(reported), "set it in an application: req.app.name = ...")
  end)
  lu.assertNil(kit.request("GET", "/").config_dict.db)
end

return T
