-- x_transport_protocol_switch: set_protocol in a callback, get_protocol, data after the switch
-- goes to the new one
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function Second()
  return {
    done = aio.Future(),
    connection_made = function() say("not printed") end,
    data_received = function(_, d) say("second", d) end,
    connection_lost = function(self, e)
      say("second lost", e)
      self.done:set_result(nil)
    end,
  }
end

local function First()
  return {
    connection_made = function(self, tr)
      self.tr = tr
      say("made", tr:get_protocol() == self)
    end,
    data_received = function(self, d)
      say("first", d)
      self.second = Second()
      self.tr:set_protocol(self.second)
      say(self.tr:get_protocol() == self.second)
    end,
    connection_lost = function() say("not printed") end,
  }
end

aio.run(function()
  local loop = aio.get_running_loop()
  local a, b = aio.socketpair()
  local _, p = loop:create_connection(First, nil, nil, { sock = a })
  b:send("one")
  aio.sleep(0.01)
  b:send("two")
  aio.sleep(0.01)
  b:close()
  p.second.done:await()
end)
