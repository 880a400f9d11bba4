-- SPDX-License-Identifier: MIT
-- Memory fails while protocols talk over a connection: each step makes something new.
local aio = require "aio"

aio.run(function()
  local loop = aio.get_running_loop()
  local srv <close> = loop:create_server(function()
    local transport
    return {
      connection_made = function(_, tr) transport = tr end,
      data_received = function(_, data) transport:write(data) end,
    }
  end, "127.0.0.1", 0)
  local done = aio.Event()
  local got
  local _ <close> = aio.timeout(20)
  local tr = loop:create_connection(function()
    return {
      data_received = function(_, data) got = data done:set() end,
      connection_lost = function() done:set() end,
    }
  end, "127.0.0.1", srv.port)
  local _ <close> = aio.defer(tr.abort, tr)
  tr:write("ping")
  done:wait()
  if not got then error(aio.OSError("the peer's connection was broken off")) end
  assert(got == "ping")
end)
