-- 350_datagram_echo: UDP echo
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function same(a, b) return a.host == b.host and a.port == b.port end

aio.run(function()
  local group <close> = aio.TaskGroup()
  local server <close> = aio.open_datagram { local_addr = { "127.0.0.1", 0 } }
  group:create_task(function()
    for data, addr in server:datagrams() do
      say("server got", data)
      server:send(data:reverse(), addr)
    end
  end)
  local addr = server:get_extra_info "sockname"
  local client = aio.open_datagram { remote_addr = addr }
  client:send("abc")
  local data, from = client:recv()
  say("client got", data, "from server", same(from, addr))
  local lost = aio.create_task(client.recv, client)
  aio.sleep(0)
  client:close()
  say("client lost", lost:await())
end)
