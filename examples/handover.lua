-- A server that can be replaced while it runs: `lua handover.lua PORT CONTROL` serves at the port.
-- Started again with the same arguments, it asks the one that runs, by the Unix socket CONTROL, for
-- its listening sockets. Both accept until the old one stops, so no client is refused; what the old
-- one has accepted, it serves to the end.

local aio = require "aio"

local port, control = tonumber(arg[1]), arg[2]
local me = tostring(io.open("/proc/self/stat"):read("n"))

local function serve(conn)
  for line in conn:lines() do conn:write(me, " ", line, "\n") end
end

-- The listening sockets of the one that runs, and the connection to it; nothing when there is none.
local function inherit()
  local ok, conn = aio.catch(aio.OSError, aio.open_unix_connection, control, { fds = 2 })
  if not ok then return nil end
  local _, fds = conn:recv_fds(1)
  if #fds == 2 then return fds, conn end
  conn:close() -- it has ended instead
end

aio.main(function()
  io.stdout:setvbuf("line")
  local fds, predecessor = inherit()
  local srv <close> = fds and aio.start_server(serve, { sock = fds[1] })
    or aio.start_server(serve, "127.0.0.1", port)
  if predecessor then
    predecessor:write("ready\n")
    predecessor:readline() -- it accepts nobody at CONTROL any more
    predecessor:close()
  end
  print("listening on 127.0.0.1:" .. srv.port)

  local replaced = aio.Event()
  local ctl
  local function hand_over(conn)
    conn:send_fds("s", { srv.sockets[1], ctl.sockets[1] })
    if not conn:readline() then return end -- the successor has failed: go on
    ctl:close()
    conn:write("yours\n")
    replaced:set()
  end
  -- One successor at a time. The next one waits at this socket, which goes from hand to hand too.
  ctl = fds and aio.start_unix_server(hand_over, { sock = fds[2], max_connections = 1 })
    or aio.start_unix_server(hand_over, control, { max_connections = 1, cleanup_socket = false })
  replaced:wait()
  srv:close()
end)
