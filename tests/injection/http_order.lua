-- SPDX-License-Identifier: MIT
-- Memory fails while a server of HTTP answers requests that came at once: no request gets two
-- answers, and none gets another's.
local env = require "support.env"
if not env.has_http() then return end
local aio = require "aio"
local http = require "aio.http"
local kit = require "aio.http.testing"

local MANY = 5

aio.run(function()
  local app = http.Application()
  app:get("/{n}", function(req) return req.match_info.n end)
  app:get("/{n}/stream", function(req)
    return http.stream(function(out) out:write(req.match_info.n) end)
  end)
  app:get("/{n}/big", function(req) return req.match_info.n .. ("x"):rep(1 << 20) end)
  app:post("/{n}", function(req) return req:read() end)
  local server <close> = kit.TestServer(app, { shutdown_timeout = 5, access_log = true,
    access_log_to = function() end })
  local raw <close> = server:connect { timeout = 5 }
  local answered = 0
  aio.catch({ aio.OSError, aio.IncompleteReadError }, function()
    raw:send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2/stream HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /3/big HTTP/1.1\r\nHost: h\r\n\r\n",
      "POST /4 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n4",
      "GET /5 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    while true do
      local res = raw:response()
      if not res then break end
      answered = answered + 1
      assert(answered <= MANY, "an answer to nothing")
      if res.status == 200 then assert(res.body:byte() == 48 + answered, "another's answer") end
    end
  end)
end)
