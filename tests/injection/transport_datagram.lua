-- SPDX-License-Identifier: MIT
-- Memory fails while a datagram protocol talks to itself; a lost datagram is sent again.
local aio = require "aio"

aio.run(function()
  local loop = aio.get_running_loop()
  local done = aio.Event()
  local tr = loop:create_datagram_endpoint(function()
    return { datagram_received = function() done:set() end }
  end, { local_addr = { "127.0.0.1", 0 } })
  local _ <close> = aio.defer(tr.abort, tr)
  local addr = tr:get_extra_info "sockname"
  for _ = 1, 5 do
    tr:sendto("ping", addr)
    if aio.catch(aio.TimeoutError, aio.wait_for, function() done:wait() end, 0.05) then break end
  end
  tr:close()
end)
