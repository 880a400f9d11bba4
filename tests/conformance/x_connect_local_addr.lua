-- x_connect_local_addr: a connection from an address of one's own; one that cannot be had raises
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local peers = aio.Queue()
  local srv <close> = aio.start_server(function(conn)
    peers:put(conn:get_extra_info("peername").host)
  end, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port,
    { local_addr = { "127.0.0.3", 0 }, happy_eyeballs_delay = 0.25, interleave = 1 })
  say("server sees", peers:get(), "client sees", conn:get_extra_info("sockname").host)
  conn:close()
  conn:wait_closed()
  local _, err = aio.catch(aio.OSError, aio.open_connection, "127.0.0.1", srv.port,
    { local_addr = { "192.0.2.77", 0 } })
  say("not mine", err.code)
  local again <close> = aio.open_connection("127.0.0.1", srv.port,
    { local_addr = { "127.0.0.3", 0 }, happy_eyeballs_delay = 0.25, family = "inet" })
  say("by family")
  again:close()
end)
