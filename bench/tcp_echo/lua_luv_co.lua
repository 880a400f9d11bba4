-- TCP echo on PORT, a coroutine for each connection that reads and writes through libuv callbacks
local uv = require "luv"
local running, yield, resume = coroutine.running, coroutine.yield, coroutine.resume
local function serve(client)
  local co = running()
  local function wake(...) assert(resume(co, ...)) end
  local pending, ended, waiting
  client:read_start(function(_, data)
    if data then pending = pending and pending .. data or data else ended = true end
    if waiting then waiting = false wake() end
  end)
  while true do
    while not pending and not ended do waiting = true yield() end
    if not pending then break end
    local data = pending
    pending = nil
    client:write(data, wake)
    if yield() then break end
  end
  client:close()
end
local server = uv.new_tcp()
assert(server:bind("127.0.0.1", tonumber(arg[1]) or 7000))
assert(server:listen(4096, function()
  local client = uv.new_tcp()
  server:accept(client)
  client:nodelay(true)
  coroutine.wrap(serve)(client)
end))
uv.run()
