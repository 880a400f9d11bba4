-- 332_protocol_pause_reading: a paused transport delivers nothing until resumed
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local a, b = aio.socketpair()
  local function protocol()
    return { data_received = function(_, d) say("data", d) end }
  end
  local tr = loop:create_connection(protocol, nil, nil, { sock = a })
  tr:pause_reading()
  say("reading", tr:is_reading())
  b:send("queued")
  aio.sleep(0.02)
  say("resume")
  tr:resume_reading()
  aio.sleep(0.02)
  say("reading", tr:is_reading())
  tr:close()
  b:close()
end)
