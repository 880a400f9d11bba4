-- One stream on PORT: sends or receives as many bytes as it is told, 64 KiB at a time
local bench, aio = require "bench", require "aio"
local BLOCK = 65536

local function send(conn, n)
  local block = ("x"):rep(BLOCK)
  for _ = 1, n // BLOCK do conn:write(block) end
end

local function receive(conn, n)
  while n > 0 do n = n - #conn:read(BLOCK) end
  conn:write "done\n"
end

local function serve(conn)
  local line = conn:read "l"
  if not line then return end
  local role, n = line:match "(%a+) (%d+)"
  if role == "send" then send(conn, tonumber(n)) else receive(conn, tonumber(n)) end
end

aio.run(function()
  local server = aio.start_server(serve, "127.0.0.1", bench.arg(1, 7000))
  server:serve_forever()
end)
