-- x_transport_paused_reset: a paused transport hears of a reset when it reads again or writes
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local events = aio.Queue()

local function heard(...)
  say(...)
  events:put_nowait((...))
end

local function P()
  return {
    connection_made = function(self, tr)
      self.tr = tr
      tr:pause_reading()
      events:put_nowait(tr)
    end,
    data_received = function(self, d)
      self.tr:pause_reading()
      heard("data", d)
    end,
    eof_received = function() heard("eof") end,
    connection_lost = function(_, e) heard("lost", e ~= nil) end,
  }
end

-- A client that says something and is gone with a reset; the server's transport.
local function reset(loop, srv, text)
  local s = aio.socket()
  loop:sock_connect(s, "127.0.0.1", srv.port)
  local tr = events:get()
  s:setsockopt("linger", 0)
  if text then s:send(text) end
  s:close()
  aio.sleep(0.01)
  say("paused", tr:is_closing())
  return tr
end

aio.run(function()
  local loop = aio.get_running_loop()
  local srv = loop:create_server(P, "127.0.0.1", 0)
  local tr = reset(loop, srv)
  tr:resume_reading()
  events:get()
  say("resumed", tr:is_closing())

  tr = reset(loop, srv, "!")
  tr:resume_reading()
  events:get()
  aio.sleep(0.01)
  say("paused again", tr:is_closing())
  tr:resume_reading()
  events:get()
  say("resumed", tr:is_closing())

  tr = reset(loop, srv)
  tr:write("into the void")
  events:get()
  say("written", tr:is_closing())

  tr = reset(loop, srv)
  tr:close()
  events:get()
  srv:close()
end)
