-- x_transport_close_flushes: close sends what was written, then the loss is told, once
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local got = loop:create_future()
  local function server()
    return {
      n = 0,
      connection_made = function(_, tr)
        tr:pause_reading()
        loop:call_later(0.02, tr.resume_reading, tr)
      end,
      data_received = function(self, d) self.n = self.n + #d end,
      connection_lost = function(self, e)
        say("server lost", e)
        got:set_result(self.n)
      end,
    }
  end
  local function client()
    return {
      pause_writing = function() say("pause") end,
      resume_writing = function() say("resume") end,
      connection_lost = function(_, e) say("client lost", e) end,
    }
  end
  local srv = loop:create_server(server, "127.0.0.1", 0)
  local tr = loop:create_connection(client, "127.0.0.1", srv.port)
  tr:write(("x"):rep(8000000))
  tr:close()
  say("closing", tr:is_closing(), "buffered", tr:get_write_buffer_size() > 0)
  tr:pause_reading()
  tr:write_eof()
  say("reading", tr:is_reading())
  say("got", got:await())
  tr:write("nobody gets this")
  srv:close()
  aio.sleep(0.01)
end)
