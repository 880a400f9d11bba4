-- 334_transport_abort: abort drops the buffer and reports a loss without error
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local a, b = aio.socketpair()
  local lost = loop:create_future()
  local function protocol()
    return { connection_lost = function(_, e) lost:set_result(e) end }
  end
  local tr = loop:create_connection(protocol, nil, nil, { sock = a })
  tr:write(("x"):rep(5000000))
  tr:abort()
  say("closing", tr:is_closing(), "lost error", lost:await())
  b:close()
end)
