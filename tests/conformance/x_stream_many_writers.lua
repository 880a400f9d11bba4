-- x_stream_many_writers: several tasks write to one connection, drains, lines arrive whole and in
-- order of writing
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local lines = {}
  local over = aio.get_running_loop():create_future()
  local function handle(conn)
    for l in conn:lines() do lines[#lines + 1] = l end
    over:set_result(nil)
    conn:close()
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  local function writer(n)
    for i = 0, 2 do
      conn:write(n .. i .. "\n")
      conn:drain()
      aio.sleep(0)
    end
  end
  local j = aio.async(writer)
  aio.gather(j "a", j "b", j "c")
  conn:close()
  over:await()
  say(lines)
  srv:close()
end)
