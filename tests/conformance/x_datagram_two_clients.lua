-- x_datagram_two_clients: replies go to who asked; an unconnected endpoint sends to several
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local function P()
    return {
      q = aio.Queue(),
      datagram_received = function(self, d, a) self.q:put_nowait({ d, a }) end,
    }
  end
  local function mk()
    return loop:create_datagram_endpoint(P, { local_addr = { "127.0.0.1", 0 } })
  end
  local st, s = mk()
  local at, a = mk()
  local bt, b = mk()
  local addr = st:get_extra_info "sockname"
  at:sendto("from a", addr)
  local got = s.q:get()
  say(got[1], got[2].port == at:get_extra_info("sockname").port)
  bt:sendto("from b", addr)
  local got2 = s.q:get()
  st:sendto("to a", got[2])
  st:sendto("to b", got2[2])
  say(a.q:get()[1], b.q:get()[1])
  say(st:get_extra_info "peername")
  for _, t in ipairs { st, at, bt } do t:close() end
end)
