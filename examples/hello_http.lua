-- The smallest server of HTTP: hello_http.lua [port] (default 8080; 0 takes a free one). Try it
-- with `curl 127.0.0.1:8080/hello/you`; Ctrl-C ends it.
local http = require "aio.http"

local app = http.Application()

app:get("/hello/{name}", function(req)
  return "Hello, " .. req.match_info.name .. "!\n"
end)

io.stdout:setvbuf "line"
http.run_app(app, {
  host = "127.0.0.1", port = tonumber(arg[1] or 8080),
  print = function(text) print("listening on " .. text:match "http://([%d.:]+)") end,
})
