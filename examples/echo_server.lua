-- Sends back what it receives, to any number of clients: echo_server.lua [port] (default 7000;
-- 0 takes a free one). Try it with `nc 127.0.0.1 7000`; Ctrl-C ends it.
local aio = require "aio"

local function echo(conn)
  local who = conn:get_extra_info("peername")
  print("hello " .. who.host .. ":" .. who.port)
  while true do
    local data = conn:read(65536) -- waits; nil at the end
    if not data then break end
    conn:write(data) -- waits as well when the client does not read
  end
  print("goodbye " .. who.host .. ":" .. who.port)
end

aio.main(function(port)
  io.stdout:setvbuf("line")
  local server = aio.start_server(echo, "127.0.0.1", tonumber(port or 7000))
  print("listening on 127.0.0.1:" .. server.port)
  server:serve_forever()
end, ...)
