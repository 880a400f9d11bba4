-- x_server_start_serving: a server that starts later, and serves until it is cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  conn:write("hi")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0, { start_serving = false })
  say("serving", srv:is_serving())
  local t = aio.create_task(srv.serve_forever, srv)
  aio.sleep(0.01)
  say("serving", srv:is_serving())
  local conn = aio.open_connection("127.0.0.1", srv.port)
  say(conn:read("a"))
  conn:close()
  t:cancel()
  if not aio.catch(aio.CancelledError, t.await, t) then
    say("cancelled, serving", srv:is_serving(), "sockets", #srv.sockets)
  end
end)
