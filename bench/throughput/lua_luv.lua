-- One stream on PORT: sends or receives as many bytes as it is told, 64 KiB at a time: callbacks
local uv = require "luv"
local BLOCK = 65536
local block = ("x"):rep(BLOCK)

-- One write under way, one behind it.
local function send(client, n)
  local under_way = 0
  local function more()
    while under_way < 2 and n > 0 do
      n, under_way = n - BLOCK, under_way + 1
      client:write(block, function()
        under_way = under_way - 1
        more()
      end)
    end
    if n <= 0 and under_way == 0 and not client:is_closing() then client:close() end
  end
  more()
end

local server = uv.new_tcp()
assert(server:bind("127.0.0.1", tonumber(arg[1]) or 7000))
assert(server:listen(128, function()
  local client, left = uv.new_tcp(), nil
  server:accept(client)
  client:nodelay(true)
  client:read_start(function(_, data)
    if not data then
      if not client:is_closing() then client:close() end
      return
    end
    local took = #data
    if not left then
      local role, n, rest = data:match "(%a+) (%d+)\n()"
      if role == "send" then
        client:read_stop()
        return send(client, tonumber(n))
      end
      left, took = tonumber(n), #data - rest + 1
    end
    left = left - took
    if left <= 0 then client:write("done\n", function() client:close() end) end
  end)
end))
uv.run()
