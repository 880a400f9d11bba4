-- x_transport_abort_inside: abort in each callback ends at once, and is told once
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  for _, where in ipairs { "made", "data", "eof", "pause" } do
    local lost = loop:create_future()
    local function server()
      local self = {}
      local function step(name)
        say("server", name)
        if where ~= name then return end
        self.tr:abort()
        self.tr:abort()
        self.tr:write("lost")
        say("closing", self.tr:is_closing())
      end
      function self.connection_made(_, tr)
        self.tr = tr
        step("made")
      end
      function self.data_received()
        step("data")
        if where ~= "pause" then return end
        self.tr:write(("x"):rep(20000000))
        say("buffered", self.tr:get_write_buffer_size())
      end
      function self.eof_received() step("eof") end
      function self.pause_writing() step("pause") end
      function self.resume_writing() step("resume") end
      function self.connection_lost(_, e)
        say("server lost", e)
        lost:set_result()
      end
      return self
    end
    local srv = loop:create_server(server, "127.0.0.1", 0)
    local conn = aio.open_connection("127.0.0.1", srv.port)
    conn:write("hello")
    if where == "eof" then conn:write_eof() end
    lost:await()
    conn:close()
    srv:close()
  end
end)
