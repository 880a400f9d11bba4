-- SPDX-License-Identifier: MIT
-- Every server among the examples is attacked for a little while (tests/hostile), and none is
-- forgotten.

local lu = require "luaunit"
local env = require "support.env"
local servers = require "hostile.servers"

local T = { elsewhere = true }

local SECONDS = 2 -- for each server

-- Programs that are not attacked, and why.
local LEFT_OUT = {
  ["examples/tour.lua"] = "only it talks to its server",
  ["examples/https_fetch.lua"] = "only it talks to its server",
  ["examples/downloader.lua"] = "only it talks to its server",
  ["examples/crawler.lua"] = "only it talks to its server",
  ["examples/sse_ticker.lua"] = "only it talks to its server",
  ["examples/host/game.lua"] = "only it talks to its server",
}

-- Without these no program serves anybody.
local SIGNS = { "start_server", "start_unix_server", "create_server", "create_unix_server",
  "connect_accepted_socket", "local_addr", ":listen(", "run_app", "AppRunner" }

local function serves(path)
  local file = assert(io.open(env.root .. "/" .. path))
  local text = file:read("a")
  file:close()
  for _, sign in ipairs(SIGNS) do
    if text:find(sign, 1, true) then return true end
  end
  return false
end

function T.test_no_server_is_forgotten()
  local listed, missing = {}, {}
  for _, one in ipairs(servers) do
    listed[one.program] = true
    lu.assertTrue(env.exists(env.root .. "/" .. one.program), one.program)
  end
  for _, path in ipairs(env.glob("examples/*.lua examples/*/*.lua")) do
    local known = listed[path] or LEFT_OUT[path]
    if not known and serves(path) then missing[#missing + 1] = path end
  end
  lu.assertEquals(missing, {}, "to be put into tests/hostile/servers.lua")
end

for _, one in ipairs(servers) do
  T["test_" .. one.program:match("([%w_]+)%.lua$")] = function()
    lu.skipIf(one.kind == "tls" and not env.has_tls(), "this build has no library for TLS")
    lu.skipIf(one.kind == "http" and not env.has_http(), "this build has no library for HTTP")
    local pipe = assert(io.popen(env.command(("%s %g '' %s 2>&1"):format(
      env.quote(env.root .. "/tests/hostile/run.lua"), SECONDS, one.program))))
    local text = pipe:read("a")
    lu.assertTrue(pipe:close(), text)
    lu.assertStrContains(text, "ok      " .. one.program)
  end
end

return T
