-- x_transport_datagram: the order of a datagram protocol's callbacks
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local lost = loop:create_future()
  local function server()
    return {
      connection_made = function(self, tr)
        self.tr = tr
        say("server made")
      end,
      datagram_received = function(self, d, addr)
        say("server got", d)
        if d == "bad" then error("bad", 0) end
        self.tr:sendto("re " .. d, addr)
      end,
      connection_lost = function(_, e) say("server lost", e) end,
    }
  end
  local function client()
    return {
      n = 0,
      connection_made = function(self, tr)
        self.tr = tr
        say("client made")
        loop:call_soon(say, "soon after made")
      end,
      datagram_received = function(self, d)
        say("client got", d)
        self.n = self.n + 1
        if self.n == 2 then
          self.tr:close()
          say("closing", self.tr:is_closing())
          self.tr:sendto("too late")
        end
      end,
      error_received = function() say("client error") end,
      connection_lost = function(_, e)
        say("client lost", e)
        lost:set_result()
      end,
    }
  end
  loop:set_exception_handler(function(_, ctx) say("handler", ctx.exception) end)
  local st = loop:create_datagram_endpoint(server, { local_addr = { "127.0.0.1", 0 } })
  local addr = st:get_extra_info "sockname"
  local ct, cp = loop:create_datagram_endpoint(client, { remote_addr = addr })
  say("connected", ct:get_protocol() == cp, ct:get_extra_info "peername".port == addr.port,
    st:get_extra_info "peername")
  ct:sendto("bad")
  ct:sendto("one")
  ct:sendto("two", addr)
  if not pcall(ct.sendto, ct, "three", { "127.0.0.1", 9 }) then say("error: another address") end
  lost:await()
  local low, high = ct:get_write_buffer_limits()
  say("limits", low, high, ct:get_write_buffer_size())
  st:abort()
  st:close()
  aio.sleep(0.01)
  -- a refused datagram
  local errors = loop:create_future()
  local function refused()
    return {
      error_received = function(_, e)
        say("refused", e.code == "ECONNREFUSED")
        if not errors:done() then errors:set_result() end
      end,
      connection_lost = function(_, e) say("lost", e) end,
    }
  end
  local tr = loop:create_datagram_endpoint(refused, { remote_addr = addr })
  tr:sendto("anybody?")
  errors:await()
  say("closing", tr:is_closing())
  tr:close()
  aio.sleep(0.01)
end)
