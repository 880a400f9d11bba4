-- x_transport_lost_turns: close calls connection_lost a turn later, never inside
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function P(n)
  return {
    n = n,
    connection_made = function(self, tr)
      self.tr = tr
      say(n, "made")
    end,
    connection_lost = function(_, e) say(n, "lost", e) end,
  }
end

aio.run(function()
  local loop = aio.get_running_loop()
  for _, how in ipairs { "close", "abort" } do
    local a, b = aio.socketpair()
    local tr, p = loop:create_connection(function() return P(how) end, nil, nil, { sock = a })
    say("connected", p.n)
    tr[how](tr)
    say("called", tr:is_closing())
    tr[how](tr)
    aio.sleep(0)
    say("turn 1")
    aio.sleep(0)
    say("turn 2")
    b:close()
  end
end)
