-- x_transport_data_error: an error in data_received ends the connection, one in connection_made is
-- reported
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function Bad()
  return {
    done = aio.Future(),
    connection_made = function() say("made") end,
    data_received = function() error(ValueError("in data")) end,
    connection_lost = function(self, e)
      say("lost", e.name)
      self.done:set_result(nil)
    end,
  }
end

aio.run(function()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(function(_, c) say("handler", c.exception.message) end)
  local a, b = aio.socketpair()
  local tr, p = loop:create_connection(Bad, nil, nil, { sock = a })
  b:send("x")
  p.done:await()
  say(tr:is_closing())
  say(loop:sock_recv(b, 10) == nil)
  b:close()
end)
