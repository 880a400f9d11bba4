-- x_transport_server_close: connections outlive the server
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local made, lost = loop:create_future(), loop:create_future()
  local function echo()
    return {
      connection_made = function(self, tr)
        self.tr = tr
        made:set_result(tr)
      end,
      data_received = function(self, d) self.tr:write(d:upper()) end,
      connection_lost = function(_, e)
        say("lost", e)
        lost:set_result()
      end,
    }
  end
  local srv = loop:create_server(echo, "127.0.0.1", 0, { start_serving = false })
  say("serving", srv:is_serving())
  srv:start_serving()
  say("serving", srv:is_serving())
  local conn = aio.open_connection("127.0.0.1", srv.port)
  local tr = made:await()
  srv:close()
  say("serving", srv:is_serving(), "sockets", #srv.sockets)
  conn:write("still there")
  say(conn:read(100))
  tr:close()
  lost:await()
  say("end", #conn:read("a"))
  conn:close()
  srv:wait_closed()
  say("closed")
end)
