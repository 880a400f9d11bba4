-- x_stream_requests_in_turn: many small messages on one connection keep their order
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  local total = 0
  for line in conn:lines() do
    total = total + math.tointeger(line)
    conn:writelines { "sum ", total, "\n" }
  end
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  conn:write("1\n2\n")
  say(conn:read("l"), conn:read("l"))
  for n = 3, 100 do
    conn:write(n, "\n")
  end
  conn:write_eof()
  local last
  for line in conn:lines() do
    last = line
  end
  say("last", last)
  conn:close()
  srv:close()
end)
