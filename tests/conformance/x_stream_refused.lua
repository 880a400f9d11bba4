-- x_stream_refused: a connection to a closed port raises, as does an address in use
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle() end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local port = srv.port
  local _, err = aio.catch(aio.OSError, aio.start_server, handle, "127.0.0.1", port)
  say("in use", err.code)
  srv:close()
  srv:wait_closed()
  _, err = aio.catch(aio.OSError, aio.open_connection, "127.0.0.1", port)
  say("refused", err.code)
end)
