-- x_server_states: sockets, is_serving, close, sockets after close, serve_forever cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn) conn:close() end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0, { start_serving = false })
  say(srv:is_serving(), #srv.sockets)
  local t = aio.create_task(srv.serve_forever, srv)
  aio.sleep(0.002)
  say(srv:is_serving())
  if not aio.catch(aio.RuntimeError, srv.serve_forever, srv) then say("already") end
  t:cancel()
  if not aio.catch(aio.CancelledError, t.await, t) then
    say("cancelled", srv:is_serving(), #srv.sockets)
  end
  local s2
  do
    local server <close> = aio.start_server(handle, "127.0.0.1", 0)
    s2 = server
    say(s2:is_serving())
  end
  say(s2:is_serving())
end)
