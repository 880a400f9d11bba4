-- 352_datagram_refused: a refused datagram is reported to the protocol, the endpoint lives on
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local gone = aio.open_datagram { local_addr = { "127.0.0.1", 0 } }
  local addr = gone:get_extra_info "sockname"
  gone:close()
  local client <close> = aio.open_datagram { remote_addr = addr }
  client:send("x")
  local _, err = aio.catch(aio.OSError, client.recv, client)
  say("refused", err.code == "ECONNREFUSED", "closing", client:is_closing())
end)
