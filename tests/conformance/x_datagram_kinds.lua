-- x_datagram_kinds: binary and long datagrams arrive one by one and whole; nothing after close
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function same(a, b) return a.host == b.host and a.port == b.port end

aio.run(function()
  local server <close> = aio.open_datagram { local_addr = { "127.0.0.1", 0 } }
  local addr = server:get_extra_info "sockname"
  local client = aio.open_datagram { remote_addr = addr }
  local me = client:get_extra_info "sockname"
  say("peer is the server", same(client:get_extra_info "peername", addr))
  say("server has a peer", server:get_extra_info "peername" ~= nil)
  for _, data in ipairs { "one", "a\0b\n", ("x"):rep(60000), "last" } do client:send(data) end
  for _ = 1, 4 do
    local data, from = server:recv()
    say("got", #data, "from the client", same(from, me))
  end
  client:close()
  say("closing", client:is_closing(), server:is_closing())
end)
