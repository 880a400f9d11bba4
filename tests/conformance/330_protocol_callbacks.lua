-- 330_protocol_callbacks: order of protocol events on both ends
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local closed = loop:create_future()
  local function server()
    return {
      connection_made = function(self, tr)
        self.tr = tr
        say("server made")
      end,
      data_received = function(self, d)
        say("server data", d)
        self.tr:write(d)
      end,
      eof_received = function() say("server eof") end,
      connection_lost = function(_, e)
        say("server lost, error", e)
        closed:set_result()
      end,
    }
  end
  local function client()
    return {
      connection_made = function(self, tr)
        self.tr = tr
        tr:write("ping")
      end,
      data_received = function(self, d)
        say("client data", d)
        self.tr:close()
      end,
      connection_lost = function(_, e) say("client lost, error", e) end,
    }
  end
  local srv = loop:create_server(server, "127.0.0.1", 0)
  loop:create_connection(client, "127.0.0.1", srv.port)
  closed:await()
  srv:close()
end)
