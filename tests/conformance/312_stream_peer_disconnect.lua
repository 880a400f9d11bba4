-- 312_stream_peer_disconnect: the server sees the end when a client goes away
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local seen = aio.Event()
  local function handle(conn)
    say("got", conn:read("l"))
    say("then end", conn:readline() == nil)
    conn:close()
    seen:set()
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  conn:write("bye\n")
  conn:close()
  say("closing", conn:is_closing())
  conn:wait_closed()
  seen:wait()
  srv:close()
end)
