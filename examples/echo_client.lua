-- Sends each of its words as a line and prints what comes back:
-- echo_client.lua [port [word...]] (default: port 7000, "hello" and "world").
local aio = require "aio"

aio.main(function(port, ...)
  local words = select("#", ...) > 0 and { ... } or { "hello", "world" }
  local conn <close> = aio.open_connection("127.0.0.1", tonumber(port or 7000), { timeout = 5 })
  for _, word in ipairs(words) do
    conn:write(word, "\n")
    print(conn:read("l"))
  end
end, ...)
