-- What one says, all the others hear: chat_server.lua [port] (default 7001; 0 takes a free one).
-- Broadcasting must never wait: a client that does not read would hold up everybody. So it is
-- written with write_nowait, which buffers, and who is more than BOUND bytes behind is dropped.
-- Lines are short, so that nobody can send more than BOUND in the time of one turn of the loop.
local aio = require "aio"

local LINE, BOUND = 1024, 1024 * 1024
local LEAVING = { aio.OSError, aio.LimitOverrunError } -- a broken connection, a line too long

local clients = {} -- conn -> name
local count = 0

-- A connection that breaks is its own handler's business, not that of the one who speaks.
local function send(conn, name, text)
  local ok, in_time = aio.catch(aio.OSError, conn.write_nowait, conn, text, "\n")
  if ok and in_time then return end
  clients[conn] = nil
  conn:abort()
  print(name .. (ok and " is too slow: dropped" or " broke off"))
end

local function broadcast(text, from)
  for conn, name in pairs(clients) do -- nothing in this loop waits, so nobody comes or goes
    if conn ~= from then send(conn, name, text) end
  end
end

local function talk(conn, name)
  conn:write("you are ", name, "\n")
  broadcast(name .. " came", conn)
  for line in conn:lines() do broadcast(name .. ": " .. line, conn) end
end

local function serve(conn)
  count = count + 1
  local name = "guest " .. count
  conn:set_limits { high = BOUND }
  clients[conn] = name
  aio.catch(LEAVING, talk, conn, name)
  clients[conn] = nil
  broadcast(name .. " left")
end

aio.main(function(port)
  io.stdout:setvbuf("line")
  local server = aio.start_server(serve, "127.0.0.1", tonumber(port or 7001), { limit = LINE })
  print("listening on 127.0.0.1:" .. server.port)
  server:serve_forever()
end, ...)
