-- 324_stream_length_prefixed: binary framing with exact reads
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function send(conn, data)
  conn:write(string.pack(">s4", data))
end

local function recv(conn)
  local n = string.unpack(">I4", conn:readexactly(4))
  return conn:readexactly(n)
end

local function handle(conn)
  local _, err = aio.catch(aio.IncompleteReadError, function()
    while true do
      send(conn, recv(conn):reverse())
    end
  end)
  say("server: end, partial", #err.partial)
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  for _, m in ipairs { "abc", "", ("x"):rep(100000) } do
    send(conn, m)
    local got = recv(conn)
    say("len", #got, "ok", got == m:reverse())
  end
  conn:close()
  aio.sleep(0.02)
  srv:close()
end)
