-- TCP echo on PORT, a coroutine for each connection
local cqueues, socket = require "cqueues", require "cqueues.socket"
local cq = cqueues.new()
local port = tonumber(arg[1]) or 7000
local server = assert(socket.listen { host = "127.0.0.1", port = port, nodelay = true })
server:listen()
cq:wrap(function()
  while true do
    local client = server:accept { nodelay = true }
    if client then
      client:setmode("bn", "bn")
      client:onerror(function(_, _, why) return why end)
      cq:wrap(function()
        while true do
          local data = client:read(-65536)
          if not data or not client:write(data) then break end
        end
        client:close()
      end)
    end
  end
end)
assert(cq:loop())
