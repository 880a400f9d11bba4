-- x_stream_backpressure: a writer waits for a slow reader, nothing is lost
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local SIZE = 20000000

aio.run(function()
  local start, done = aio.Event(), aio.Event()
  local function handle(conn)
    start:wait()
    local n = 0
    for chunk in conn:lines(65536) do
      n = n + #chunk
    end
    say("server got", n == SIZE)
    done:set()
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  local t = aio.create_task(function()
    conn:write(("z"):rep(SIZE))
    say("drained")
    conn:close()
  end)
  aio.sleep(0.02)
  say("written", t:done())
  start:set()
  t:await()
  done:wait()
  srv:close()
end)
