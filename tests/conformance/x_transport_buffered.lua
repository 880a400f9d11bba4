-- x_transport_buffered: a protocol with a buffer of its own
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local done = loop:create_future()
  local function protocol()
    return {
      buf = aio.Buffer(8), used = 0,
      connection_made = function() say("made") end,
      get_buffer = function(self, hint)
        say("get_buffer", hint, "from", self.used)
        return self.buf, self.used + 1
      end,
      buffer_updated = function(self, n)
        self.used = self.used + n
        say("updated", n, self.buf:sub(1, self.used))
        if self.used == 8 then
          self.buf:move(5, 8, 1)
          self.used = 4
        end
      end,
      eof_received = function() say("eof") end,
      connection_lost = function(_, e)
        say("lost", e)
        done:set_result()
      end,
    }
  end
  local srv = loop:create_server(protocol, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  conn:write("abcdefghijklmn")
  conn:close()
  done:await()
  srv:close()
  local lost = loop:create_future()
  local function name_of(e) return type(e) == "string" and "RuntimeError" or tostring(e) end
  loop:set_exception_handler(function(_, ctx) say("handler", name_of(ctx.exception)) end)
  local function bad()
    return {
      get_buffer = function() return aio.Buffer(1), 2 end,
      buffer_updated = function() say("never") end,
      connection_lost = function(_, e)
        say("lost", name_of(e))
        lost:set_result()
      end,
    }
  end
  srv = loop:create_server(bad, "127.0.0.1", 0)
  conn = aio.open_connection("127.0.0.1", srv.port)
  conn:write("x")
  lost:await()
  conn:close()
  srv:close()
end)
