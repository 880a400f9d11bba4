-- x_transport_set_protocol: another protocol takes over in the middle
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local done = loop:create_future()
  local second = {
    connection_made = function() say("second made") end,
    data_received = function(_, d) say("second data", d) end,
    connection_lost = function(_, e)
      say("second lost", e)
      done:set_result()
    end,
  }
  local function first()
    return {
      connection_made = function(self, tr)
        self.tr = tr
        say("first made")
      end,
      data_received = function(self, d)
        say("first data", d)
        self.tr:set_protocol(second)
        self.tr:write("next")
      end,
      connection_lost = function(_, e) say("first lost", e) end,
    }
  end
  local srv = loop:create_server(first, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  conn:write("one")
  say(conn:read(10))
  conn:write("two")
  conn:close()
  done:await()
  srv:close()
end)
