-- x_stream_serve_in_group: server and clients in one group; the end of the work ends the server
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  conn:write(conn:read("l"):reverse())
end

local function client(port, text)
  local conn <close> = aio.open_connection("127.0.0.1", port)
  conn:write(text, "\n")
  return conn:read("a")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local server, results
  do
    local g <close> = aio.TaskGroup()
    server = g:create_task(srv.serve_forever, srv)
    local ts = {}
    for i, text in ipairs { "abc", "racecar", "xyz" } do
      ts[i] = g:create_task(client, srv.port, text)
    end
    results = aio.gather(ts)
    server:cancel()
  end
  say(results)
  say("serving", srv:is_serving(), "cancelled", server:cancelled())
end)
