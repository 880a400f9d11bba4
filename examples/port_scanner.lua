-- Which ports of a host are open: port_scanner.lua [host [first [last]]] (default: this machine,
-- ports 1 to 1024). `map` keeps AT_ONCE attempts under way, no more, and results in order.
local aio = require "aio"

local AT_ONCE, PATIENCE = 100, 1.0 -- connections; seconds for each

local function is_open(host, port)
  return (aio.catch({ aio.OSError, aio.TimeoutError }, function()
    aio.open_connection(host, port, { timeout = PATIENCE }):abort()
  end))
end

aio.main(function(host, first, last)
  host, first, last = host or "127.0.0.1", tonumber(first or 1), tonumber(last or 1024)
  local ports = {}
  for port = first, last do ports[#ports + 1] = port end

  local found = 0
  local open = aio.map(function(port) return is_open(host, port) end, ports, { limit = AT_ONCE })
  for i, port in ipairs(ports) do
    if open[i] then
      print(port .. " is open")
      found = found + 1
    end
  end
  print(("%s: %d of %d ports are open"):format(host, found, #ports))
end, ...)
