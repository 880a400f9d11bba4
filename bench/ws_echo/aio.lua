-- WebSocket echo on PORT, a task for each connection
local bench, http = require "bench", require "aio.http"
local app = http.Application()
app:websocket("/ws", function(ws)
  for msg in ws:messages() do ws:send(msg) end
end)
http.run_app(app, {
  host = "127.0.0.1", port = bench.arg(1, 7000), backlog = 4096, print = false,
})
