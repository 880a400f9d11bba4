-- x_transport_connect_order: when the factory, connection_made and the first data come
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local function greeter()
    return { connection_made = function(_, tr) tr:write("welcome") end }
  end
  local srv = loop:create_server(greeter, "127.0.0.1", 0)
  local lost = loop:create_future()
  local function client()
    say("factory")
    return {
      connection_made = function(self, tr)
        say("made")
        self.tr = tr
        loop:call_soon(say, "soon after made")
      end,
      data_received = function(self, d)
        say("data", d)
        self.tr:close()
        say("closed", self.tr:is_closing())
        self.tr:close()
        self.tr:abort()
        loop:call_soon(say, "soon after close")
      end,
      connection_lost = function(_, e)
        say("lost", e)
        loop:call_soon(lost.set_result, lost)
      end,
    }
  end
  local tr, p = loop:create_connection(client, "127.0.0.1", srv.port)
  say("connected", p.tr == tr, tr:get_protocol() == p,
    tr:get_extra_info "peername".port == srv.port)
  lost:await()
  say("after", tr:get_extra_info "peername".port == srv.port,
    tr:get_extra_info("nothing", "default"))
  local function bad() error("factory", 0) end
  local ok, err = pcall(loop.create_connection, loop, bad, "127.0.0.1", srv.port)
  if not ok then say("error", err) end
  srv:close()
  srv:wait_closed()
  ok, err = pcall(loop.create_connection, loop, client, "127.0.0.1", srv.port)
  if not ok and err.code == "ECONNREFUSED" then say("refused") end
end)
