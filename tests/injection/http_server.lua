-- SPDX-License-Identifier: MIT
-- Memory fails while a server of HTTP answers: strings, JSON, streams, errors, bodies, no route.
local env = require "support.env"
if not env.has_http() then return end
local aio = require "aio"
local http = require "aio.http"
local kit = require "aio.http.testing"

local REQUESTS = {
  "GET /hello/x?a=1 HTTP/1.1\r\nHost: h\r\n\r\n",
  "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n",
  "GET /none HTTP/1.1\r\nHost: h\r\n\r\n",
  "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
  "GET /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
}

local function build()
  local app = http.Application()
  app:use(function(req, next) return next(req) end)
  app:get("/hello/{name}", function(req) return req.match_info.name .. req.query.a end)
  app:post("/echo", function(req) return req:read() end)
  app:get("/big", function() return ("x"):rep(100000) end)
  app:get("/stream", function()
    return http.stream(function(out)
      out:write "one"
      out:write "two"
    end)
  end)
  return app
end

aio.run(function()
  local server <close> = kit.TestServer(build(), { shutdown_timeout = 5 })
  -- a connection whose request met the failure is over, the next one is served
  for _, text in ipairs(REQUESTS) do
    local raw <close> = server:connect { timeout = 5 }
    aio.catch({ aio.OSError, aio.IncompleteReadError }, raw.ask, raw, text)
  end
  local raw <close> = server:connect { timeout = 5 }
  aio.catch({ aio.OSError, aio.IncompleteReadError }, function()
    raw:send(table.concat(REQUESTS))
    for _ = 1, #REQUESTS do
      if not raw:response() then break end
    end
  end)
end)
