-- 316_stream_close_flushes: close sends what was written before
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local done = aio.Event()
  local function handle(conn)
    say("server got", #conn:read("a"))
    conn:close()
    done:set()
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  conn:write_nowait(("z"):rep(3000000))
  conn:close()
  done:wait()
  srv:close()
end)
