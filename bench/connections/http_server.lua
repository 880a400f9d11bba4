-- A server of HTTP on a free port of the loopback, for idle connections: "/" is small, "/stat"
-- tells the memory of the Lua state in bytes and the number of tasks, after a full collection.
local aio, http = require "aio", require "aio.http"
local trim = require "trim"

local app = http.Application()
app:use(function(req, next) return next(req) end)
app:get("/", function() return "Hello, world!" end)
app:get("/stat", function()
  collectgarbage()
  collectgarbage()
  trim()
  return ("%d %d\n"):format(collectgarbage "count" * 1024, #aio.all_tasks())
end)

http.run_app(app, {
  host = "127.0.0.1", port = 0, backlog = 4096, keepalive_timeout = 3600,
  print = function(text)
    print(text:match ":(%d+)")
    io.stdout:flush()
  end,
})
