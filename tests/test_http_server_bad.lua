-- SPDX-License-Identifier: MIT
-- Everything that the parser refuses, sent to a server over loopback: the refusal, the end of the
-- connection, nothing of what follows taken for a request, and then the next good request served.

local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local bad = require "support.http_bad"
local support = require "support.http"

local T = {}

local INJECTED = support.get "/injected"

-- Sends each text, with a request behind it, over a connection of its own.
local function refuses(cases, before)
  local injected = 0
  support.serve(function(app)
    app:get("/ok", function() return "ok" end)
    app:post("/read", function(req) return req:read() end)
    app:get("/injected", function() injected = injected + 1 end)
  end, function(server)
    for _, case in ipairs(cases) do
      local text, status = table.unpack(case)
      local raw <close> = server:connect()
      local ok, response = pcall(raw.ask, raw, before .. text .. INJECTED)
      local shown = ("%q"):format(text:sub(1, 80))
      lu.assertTrue(ok, shown .. tostring(response))
      lu.assertEquals({ response and response.status, shown }, { status, shown })
      lu.assertEquals(response.headers.connection, "close")
      lu.assertTrue(raw:is_over(), shown)
      lu.assertEquals(injected, 0)
    end
    lu.assertEquals(support.once(server, support.get "/ok").body, "ok")
  end)
end

function T.test_bad_heads() refuses(bad.requests, "") end

-- Behind a good request on the same connection it is no different.
function T.test_bad_chunks()
  refuses(bad.chunked, "POST /read HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
end

return T
