-- TCP echo on PORT, protocol: callbacks
local bench, aio = require "bench", require "aio"
local Echo = {}
Echo.__index = Echo
function Echo:connection_made(transport) self.transport = transport end
function Echo:data_received(data) self.transport:write(data) end
aio.run(function()
  local loop = aio.get_running_loop()
  local server = loop:create_server(function() return setmetatable({}, Echo) end, "127.0.0.1",
    bench.arg(1, 7000), { backlog = 4096 })
  server:serve_forever()
end)
