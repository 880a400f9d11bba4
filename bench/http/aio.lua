-- HTTP on PORT: / 13 bytes, /json, /big 1 MiB, /fib some work; with routing and one middleware.
-- WORKERS=n: n states
local http = require "aio.http"
local port = tonumber(arg[1]) or 7000
local workers = tonumber(os.getenv "WORKERS")

local function make()
  local web = require "aio.http"
  local app = web.Application()
  local BIG = ("x"):rep(1 << 20)
  app:use(function(req, next) return next(req) end)
  app:get("/", function() return "Hello, world!" end)
  app:get("/json", function()
    return web.json { message = "Hello, world!", items = { 1, 2, 3 } }
  end)
  app:get("/big", function() return web.Response { body = BIG } end)
  local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
  app:get("/fib", function() return tostring(fib(20)) end)
  app:get("/user/{name}", function(req) return "Hello, " .. req.match_info.name end)
  return app
end

http.run_app(workers and make or make(), {
  host = "127.0.0.1", port = port, workers = workers, backlog = 4096, print = false,
})
