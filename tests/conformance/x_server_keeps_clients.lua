-- x_server_keeps_clients: closing the server leaves the connections that it has
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local done = aio.Event()
  local function handle(conn)
    for line in conn:lines("L") do
      conn:write("echo ", line)
    end
    say("server: client left")
    done:set()
  end
  local srv <close> = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  conn:write("before\n")
  say(conn:read("l"))
  srv:close()
  say("serving", srv:is_serving())
  conn:write("after\n")
  say(conn:read("l"))
  conn:close()
  done:wait()
end)
