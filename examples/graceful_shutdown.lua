-- A server that ends well: at Ctrl-C it takes no new clients, lets those that are there finish
-- for at most GRACE seconds, and then cuts off the rest. graceful_shutdown.lua [port [grace]]
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
  print("listening on 127.0.0.1:" .. server.port)
  -- Ctrl-C cancels this task: it wakes here, with CancelledError. It is taken, not passed on.
  if not aio.catch(aio.CancelledError, aio.await, aio.Future()) then
    aio.current_task():uncancel()
    shut_down(server, tonumber(grace or 5))
  end
end, ...)
