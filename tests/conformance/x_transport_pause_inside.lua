-- x_transport_pause_inside: pausing inside data_received, the end comes only after resuming
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function P()
  return {
    done = aio.Future(),
    connection_made = function(self, tr)
      self.tr = tr
      say("reading", tr:is_reading())
    end,
    data_received = function(self, d)
      say("data", d)
      self.tr:pause_reading()
      say("reading", self.tr:is_reading())
      self.tr:pause_reading()
    end,
    eof_received = function() say("eof") end,
    connection_lost = function(self, e)
      say("lost", e, self.tr:is_reading())
      self.done:set_result(nil)
    end,
  }
end

aio.run(function()
  local loop = aio.get_running_loop()
  local a, b = aio.socketpair()
  local tr, p = loop:create_connection(P, nil, nil, { sock = a })
  b:send("one")
  aio.sleep(0.01)
  b:send("two")
  aio.sleep(0.01)
  say("resume")
  tr:resume_reading()
  tr:resume_reading()
  aio.sleep(0.01)
  b:close()
  aio.sleep(0.01)
  say("resume")
  tr:resume_reading()
  p.done:await()
  say(tr:is_reading())
end)
