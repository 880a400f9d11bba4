-- Echo on a free port of the loopback; the line "stat" is answered with the memory of the Lua
-- state in bytes and the number of tasks, after a full collection.
local aio = require "aio"
local trim = require "trim"

local function stat()
  collectgarbage()
  collectgarbage()
  trim()
  return ("%d %d\n"):format(collectgarbage("count") * 1024, #aio.all_tasks())
end

local function serve(conn)
  for line in conn:lines("L") do
    conn:write(line == "stat\n" and stat() or line)
  end
end

aio.run(function()
  local server = aio.start_server(function(conn)
    aio.catch(aio.OSError, serve, conn)
  end, "127.0.0.1", 0, { backlog = 4096 })
  print(server.port)
  io.stdout:flush()
  server:serve_forever()
end)
