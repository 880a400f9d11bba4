-- 344_sendfile: sending a file through a transport
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local got = loop:create_future()
  local srv = aio.start_server(function(conn) got:set_result(conn:read("a")) end, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  local f <close> = io.tmpfile()
  f:write(("0123456789"):rep(50000))
  f:flush()
  say("sent", loop:sendfile(conn, f, 5, 400000))
  conn:close()
  local d = got:await()
  say("received", #d, "starts", d:sub(1, 5))
  srv:close()
end)
