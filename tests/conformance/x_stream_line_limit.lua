-- x_stream_line_limit: readline throws a line over the limit away and goes on with the next
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  conn:write("short\n", ("x"):rep(50), "\nrest\n")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port, { limit = 16 })
  aio.sleep(0.02)
  say(conn:read("l"))
  if not aio.catch(aio.LimitOverrunError, conn.readline, conn) then
    say("error: over limit")
  end
  say(conn:read("l"))
  conn:close()
  srv:close()
end)
