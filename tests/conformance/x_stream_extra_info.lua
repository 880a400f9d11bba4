-- x_stream_extra_info: both ends know the addresses
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local peer = aio.Future()
  local function handle(conn)
    peer:set_result(conn:get_extra_info("peername").port)
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  local peername = conn:get_extra_info("peername")
  say("peer", peername.host, peername.port == srv.port)
  say("same port", conn:get_extra_info("sockname").port == peer:await())
  say("unknown", conn:get_extra_info("no such thing"), conn:get_extra_info("no such thing", 7))
  conn:close()
  srv:close()
end)
