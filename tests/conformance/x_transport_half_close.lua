-- x_transport_half_close: eof_received decides whether one's own direction stays open
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function one(loop, keep)
  local done = loop:create_future()
  local function server()
    return {
      connection_made = function(self, tr) self.tr = tr end,
      data_received = function(_, d) say("server data", d) end,
      eof_received = function(self)
        say("server eof", self.tr:is_closing())
        if keep then loop:call_soon(self.answer, self) end
        return keep
      end,
      answer = function(self)
        say("server answers", self.tr:is_closing())
        self.tr:write("late answer")
        self.tr:close()
      end,
      connection_lost = function(_, e) say("server lost", e) end,
    }
  end
  local function client()
    return {
      connection_made = function(_, tr)
        say("can write eof", tr:can_write_eof())
        tr:write("question")
        tr:write_eof()
        tr:write_eof()
        if not aio.catch(aio.RuntimeError, tr.write, tr, "more") then
          say("error: write after write_eof")
        end
      end,
      data_received = function(_, d) say("client data", d) end,
      eof_received = function() say("client eof") end,
      connection_lost = function(_, e)
        say("client lost", e)
        done:set_result()
      end,
    }
  end
  local srv = loop:create_server(server, "127.0.0.1", 0)
  local tr = loop:create_connection(client, "127.0.0.1", srv.port)
  done:await()
  say("reading", tr:is_reading(), "closing", tr:is_closing())
  srv:close()
  aio.sleep(0.02)
end

aio.run(function()
  local loop = aio.get_running_loop()
  one(loop, true)
  one(loop, false)
end)
