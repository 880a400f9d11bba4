-- SPDX-License-Identifier: MIT
-- What the soak asks: a server of HTTP with a route of each kind. Prints its address.

local aio = require "aio"
local http = require "aio.http"

local app = http.Application { compress = 1000 }

app:use(function(req, next)
  local response = next(req)
  response.headers["X-Path"] = req.path
  return response
end)

app:get("/hello", function() return "hello" end)
app:get("/user/{name}", function(req)
  return http.json { name = req.match_info.name, query = req.query.q }
end)
app:post("/echo", function(req) return http.json(req:json()) end)
app:post("/form", function(req) return req:form().word end)
app:post("/count", function(req)
  local n = 0
  for chunk in req.content:chunks(65536) do n = n + #chunk end
  return tostring(n)
end)
app:get("/long", function() return ("a line that compresses\n"):rep(5000) end)
app:get("/stream", function()
  return http.stream(function(out)
    for i = 1, 100 do out:write(("part %d\n"):format(i)) end
  end)
end)
app:get("/events", function()
  return http.sse(function(events)
    for i = 1, 10 do events:send { id = i, data = "event " .. i } end
  end)
end)
app:get("/slow", function()
  aio.sleep(0.05)
  return "slow"
end)
app:get("/fails", function() error(http.Conflict "as it should") end)
app:websocket("/ws", function(ws)
  for message in ws:messages() do ws:send(message.data) end
end)

http.run_app(app, { host = "127.0.0.1", port = 0, shutdown_timeout = 5 })
