-- 318_server_close_stops_accepting: after close new connections are refused
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  conn:close()
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local port = srv.port
  local conn = aio.open_connection("127.0.0.1", port)
  conn:read("a")
  conn:close()
  say("serving", srv:is_serving())
  srv:close()
  aio.sleep(0.01)
  say("serving", srv:is_serving(), "sockets", #srv.sockets)
  local ok, err = aio.catch(aio.OSError, aio.open_connection, "127.0.0.1", port)
  if not ok and err.code == "ECONNREFUSED" then
    say("error: refused")
  end
end)
