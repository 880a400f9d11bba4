-- SPDX-License-Identifier: MIT
-- The graceful end of a server that is cancelled itself, wherever it is: what belongs to the
-- application is undone all the same.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local kit = require "aio.http.testing"
local testing = require "aio.testing"

local T = {}

-- An application with a handler that does not end by itself; `order` hears what happens.
local function app_of(order, on_shutdown)
  local app = http.Application()
  local function note(what) order[#order + 1] = what end
  app:get("/", function()
    local _ <close> = setmetatable({}, { __close = function() note "handler" end })
    note "asked"
    aio.sleep(math.huge)
  end)
  app:on_shutdown(on_shutdown or function() end)
  app:on_cleanup(function()
    aio.sleep(1)
    note "cleanup"
  end)
  app.cleanup_ctx:append(function(yield)
    yield()
    aio.sleep(1)
    note "context"
  end)
  return app
end

-- Ends a server whose handler hangs, and cancels that after so many seconds.
local function end_cut_off(seconds, on_shutdown)
  local order = {}
  local server = kit.TestServer(app_of(order, on_shutdown), { shutdown_timeout = 1e6 })
  local raw <close> = server:connect()
  raw:send "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
  while not order[1] do aio.sleep(0.01) end
  local ending = aio.create_task(server.close, server)
  aio.sleep(seconds)
  ending:cancel()
  aio.wait { ending }
  lu.assertTrue(ending:cancelled())
  lu.assertEquals(order, { "asked", "handler", "cleanup", "context" })
  lu.assertTrue(raw:is_over())
  server:close() -- has nothing to do
end

T.test_while_clients_are_heard_out = testing.case(function() end_cut_off(0.01) end)

T.test_while_handlers_have_time = testing.case(function() end_cut_off(1000) end)

T.test_in_on_shutdown = testing.case(function()
  end_cut_off(1000, function() aio.sleep(math.huge) end)
end)

T.test_a_handler_that_takes_its_time_is_aborted = testing.case(function()
  local order = {}
  local app = app_of(order)
  local over = aio.Event()
  app:get("/stubborn", function()
    order[#order + 1] = "asked"
    local _, err = pcall(over.wait, over)
    over:wait()
    error(err, 0)
  end)
  local server = kit.TestServer(app, { shutdown_timeout = 1e6 })
  local raw <close> = server:connect()
  raw:send "GET /stubborn HTTP/1.1\r\nHost: a\r\n\r\n"
  while not order[1] do aio.sleep(0.01) end
  local ending = aio.create_task(server.close, server)
  aio.sleep(1000)
  ending:cancel()
  aio.wait { ending }
  lu.assertEquals(order, { "asked", "cleanup", "context" })
  lu.assertTrue(raw:is_over())
  over:set()
end)

return T
