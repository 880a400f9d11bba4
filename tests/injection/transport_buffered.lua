-- SPDX-License-Identifier: MIT
-- Memory fails in a protocol with a buffer of its own, in pauses of writing and at the end.
local aio = require "aio"

aio.run(function()
  local loop = aio.get_running_loop()
  local lost = aio.Event()
  local srv <close> = loop:create_server(function()
    local buf, n = aio.Buffer(65536), 0
    return {
      get_buffer = function() return buf end,
      buffer_updated = function(_, count) n = n + count end,
      connection_lost = function() lost:set() end,
    }
  end, "127.0.0.1", 0)
  local _ <close> = aio.timeout(20)
  local tr = loop:create_connection(function()
    return { pause_writing = function() end, resume_writing = function() end }
  end, "127.0.0.1", srv.port)
  local _ <close> = aio.defer(tr.abort, tr)
  tr:write(("x"):rep(4 << 20))
  tr:close()
  lost:wait()
end)
