-- SPDX-License-Identifier: MIT
-- Memory fails while a server sends events and a client reads them.
local aio = require "aio"
local http = require "aio.http"
local event_parser = require "aio.http.event_parser"
local testing = require "aio.http.testing"

aio.run(function()
  local app = http.Application()
  app:get("/", function()
    return http.sse(function(events)
      events:send { data = "one\ntwo", id = 1 }
      events:send "three"
    end)
  end)
  local server <close> = testing.TestServer(app)
  local raw <close> = server:connect()
  local res = raw:ask "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
  local parser = event_parser.new()
  parser:feed(res.body)
  assert(parser:next().data == "one\ntwo" and parser:next().data == "three")
end)
