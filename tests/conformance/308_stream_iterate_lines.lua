-- 308_stream_iterate_lines: iterating a stream yields lines until the end
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  for n = 0, 2 do
    conn:write(("line %d\n"):format(n))
  end
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  for line in conn:lines() do
    say(line)
  end
  say("end")
  conn:close()
  srv:close()
end)
