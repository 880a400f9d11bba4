-- A server that ends well: at SIGTERM or Ctrl-C it takes no new clients, lets those that are there
-- finish for at most GRACE seconds, and then cuts off the rest. Another Ctrl-C ends it at once.
-- graceful_shutdown.lua [port [grace]]
local aio = require "aio"

local clients = 0

local function serve(conn)
  clients = clients + 1
  local _ <close> = aio.defer(function() clients = clients - 1 end)
  for line in conn:lines() do
    conn:write("you said: ", line, "\n")
  end
end

local function shut_down(server, grace)
  print(("shutting down, %d connected"):format(clients))
  server:close() -- no new clients
  if not aio.catch(aio.TimeoutError, aio.wait_for, function() server:wait_closed() end, grace) then
    print(("time is up, %d cut off"):format(clients))
    server:abort_clients()
    server:wait_closed()
  end
  print("everybody is gone")
end

aio.main(function(port, grace)
  io.stdout:setvbuf("line")
  local server = aio.start_server(serve, "127.0.0.1", tonumber(port or 7002))
  do
    local signals <close> = aio.signals("SIGTERM", "SIGINT")
    print("listening on 127.0.0.1:" .. server.port)
    signals() -- waits for the first; after this block Ctrl-C cancels this task, as usual
  end
  shut_down(server, tonumber(grace or 5))
end, ...)
