-- x_transport_callback_errors: what an error in each callback does
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(function(_, ctx) say("handler", ctx.exception) end)
  local current
  local srv = loop:create_server(function() return current() end, "127.0.0.1", 0)
  local function one(fails)
    local lost = loop:create_future()
    local function step(name)
      if fails == name then error(name, 0) end
    end
    current = function()
      return {
        connection_made = function(self, tr)
          self.tr = tr
          say("made")
          step("made")
        end,
        data_received = function(self, d)
          say("data", d)
          step("data")
          self.tr:write(d)
        end,
        eof_received = function()
          say("eof")
          step("eof")
        end,
        connection_lost = function(_, e)
          say("lost", e)
          lost:set_result()
          step("lost")
        end,
      }
    end
    say("--", fails)
    local conn = aio.open_connection("127.0.0.1", srv.port)
    conn:write("hello")
    local _, answer = aio.catch(aio.OSError, conn.read, conn, 100)
    say("answer", type(answer) == "string" and answer or "")
    conn:close()
    lost:await()
    aio.sleep(0.01)
  end
  for _, fails in ipairs { "nothing", "made", "data", "eof", "lost" } do one(fails) end
  srv:close()
end)
