-- 336_buffered_protocol: a protocol that supplies its own receive buffer
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local a, b = aio.socketpair()
  local done = loop:create_future()
  local function protocol()
    return {
      buf = aio.Buffer(4),
      get_buffer = function(self) return self.buf end,
      buffer_updated = function(self, n) say("chunk", self.buf:sub(1, n)) end,
      eof_received = function() say("eof") end,
      connection_lost = function() done:set_result() end,
    }
  end
  loop:create_connection(protocol, nil, nil, { sock = a })
  b:send("abcdefghij")
  b:close()
  done:await()
end)
