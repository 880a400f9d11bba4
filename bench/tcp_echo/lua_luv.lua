-- TCP echo on PORT, callbacks
local uv = require "luv"
local server = uv.new_tcp()
assert(server:bind("127.0.0.1", tonumber(arg[1]) or 7000))
assert(server:listen(4096, function()
  local client = uv.new_tcp()
  server:accept(client)
  client:nodelay(true)
  client:read_start(function(_, data)
    if data then client:write(data) elseif not client:is_closing() then client:close() end
  end)
end))
uv.run()
