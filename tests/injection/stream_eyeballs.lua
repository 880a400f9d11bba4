-- SPDX-License-Identifier: MIT
-- Memory fails while several addresses are tried, some of them side by side.
local aio = require "aio"
local core = require "aio.core"

local look_up = core._lookup_host

aio.run(function()
  local server <close> = aio.start_server(function(conn) conn:write("x") end, "127.0.0.1", 0)
  local _ <close> = aio.defer(function() core._lookup_host = look_up end)
  core._lookup_host = function()
    return {
      { host = "127.0.0.2", port = server.port, family = "inet" }, -- refused
      { host = "127.0.0.1", port = server.port, family = "inet" },
      { host = "::1", port = server.port, family = "inet6" }, -- refused
    }
  end
  local conn <close> = aio.open_connection("host", server.port, { happy_eyeballs_delay = 0 })
  conn:read(1) -- nothing, when the handler has failed
end)
