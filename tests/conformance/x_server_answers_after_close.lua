-- x_server_answers_after_close: closing a server lets a running handler finish, its client gets
-- the answer
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local started = aio.Event()
  local function handle(conn)
    started:set()
    aio.sleep(0.02)
    conn:write("answer")
    say("handler done")
    conn:close()
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local port = srv.port
  local conn = aio.open_connection("127.0.0.1", port)
  started:wait()
  srv:close()
  say("closed", srv:is_serving())
  local ok, e = aio.catch(aio.OSError, aio.open_connection, "127.0.0.1", port)
  if not ok and e.code == "ECONNREFUSED" then say("refused") end
  say(conn:read "a")
  conn:close()
end)
