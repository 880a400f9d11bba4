-- x_transport_write_pauses: pause_writing and resume_writing come in pairs
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local got, servers = loop:create_future(), {}
  local function server()
    return {
      n = 0,
      connection_made = function(self, tr)
        self.tr = tr
        servers[#servers + 1] = self
        tr:pause_reading()
        tr:pause_reading()
      end,
      data_received = function(self, d) self.n = self.n + #d end,
      eof_received = function(self) got:set_result(self.n) end,
    }
  end
  local function client()
    return {
      connection_made = function(self, tr)
        self.tr = tr
        say("limits", tr:get_write_buffer_limits())
        tr:set_write_buffer_limits { high = 1000 }
        say("limits", tr:get_write_buffer_limits())
        tr:set_write_buffer_limits { low = 1000 }
        say("limits", tr:get_write_buffer_limits())
        tr:set_write_buffer_limits { high = 1000, low = 200 }
        local low, high = tr:get_write_buffer_limits()
        say("limits", low, high, "size", tr:get_write_buffer_size())
        if not pcall(tr.set_write_buffer_limits, tr, { high = 10, low = 20 }) then
          say("error: low above high")
        end
      end,
      pause_writing = function(self) say("pause", self.tr:get_write_buffer_size() > 1000) end,
      resume_writing = function(self)
        say("resume", self.tr:get_write_buffer_size() <= 200)
        if not self.tr:is_closing() then self.tr:write(("z"):rep(10)) end
      end,
      connection_lost = function(_, e) say("client lost", e) end,
    }
  end
  local srv = loop:create_server(server, "127.0.0.1", 0)
  local tr = loop:create_connection(client, "127.0.0.1", srv.port)
  tr:write(("x"):rep(8000000))
  say("written")
  tr:write(("y"):rep(1000))
  aio.sleep(0.02)
  say("reading", servers[1].tr:is_reading())
  servers[1].tr:resume_reading()
  servers[1].tr:resume_reading()
  aio.sleep(0.1)
  tr:set_write_buffer_limits { high = 0 }
  tr:write("")
  tr:close()
  tr:close()
  say("got", got:await())
  srv:close()
  aio.sleep(0.01)
end)
