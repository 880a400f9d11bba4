-- A file on PORT: sends as many bytes of it as it is told, by the kernel
local bench, aio = require "bench", require "aio"
local PATH = assert(os.getenv "SENDFILE", "SENDFILE: the path of a file")

local function serve(conn)
  local line = conn:read "l"
  if not line then return end
  local file <close> = assert(io.open(PATH, "rb"))
  conn:sendfile(file, 0, math.tointeger(line:match "send (%d+)"))
end

aio.run(function()
  local server = aio.start_server(serve, "127.0.0.1", bench.arg(1, 7000))
  server:serve_forever()
end)
