-- 416_process_protocol: process events at the protocol level
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local done = loop:create_future()
  local function P()
    local self = { out = "", events = {} }
    function self.pipe_data_received(_, _, d) self.out = self.out .. d end
    function self.pipe_connection_lost(_, fd)
      table.insert(self.events, "pipe " .. fd .. " lost")
    end
    function self.process_exited() table.insert(self.events, "exited") end
    function self.connection_lost() done:set_result(nil) end
    return self
  end
  local tr, p = loop:subprocess_exec(P, "sh", "-c", "echo data; exit 2", { stdin = io.stdin })
  done:await()
  table.sort(p.events)
  say((p.out:gsub("%s+$", "")), p.events, "code", tr:get_returncode())
  tr:close()
end)
