-- 304_stream_limit_readuntil: a line over the limit is an error that keeps the data
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  conn:write(("x"):rep(50), "\nrest\n")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port, { limit = 16 })
  aio.sleep(0.02)
  local ok, err = aio.catch(aio.LimitOverrunError, conn.readuntil, conn, "\n")
  if not ok then
    say("error: over limit, scanned", err.consumed)
    say("skipped", #conn:readexactly(err.consumed))
  end
  conn:readexactly(1)
  say(conn:read("l"))
  conn:close()
  srv:close()
end)
