-- SPDX-License-Identifier: MIT
-- What the cases of HTTP servers share: an application served at a free port, requests as text, and
-- a connection in memory under the virtual clock.

local aio = require "aio"
local http = require "aio.http"
local kit = require "aio.http.testing"
local testing = require "aio.testing"

local M = {}

local function server_of(run)
  return function(build, fn, opts)
    run(function()
      local app = http.Application()
      build(app)
      local server <close> = kit.TestServer(app, opts)
      fn(server)
    end)
  end
end

--- Runs fn(server) with an application that `build` has filled.
M.serve = server_of(aio.run)

--- The same under the virtual clock, for cases in which something takes its time: sleeps keep
--- their order on a busy machine too.
M.serve_timed = server_of(testing.run)

--- A request without a body.
function M.get(path, more)
  return ("GET %s HTTP/1.1\r\nHost: h\r\n%s\r\n"):format(path, more or "")
end

--- One with a body.
function M.post(path, body, more)
  return ("POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %d\r\n\r\n%s"):format(path, more or "",
    #body, body)
end

--- One request over a connection of its own.
function M.once(server, text)
  local raw <close> = server:connect()
  return raw:ask(text)
end

--- Runs fn(connect) under the virtual clock: connect() gives the client's end of a connection in
--- memory that the application serves.
function M.in_memory(build, fn, opts)
  testing.run(function()
    local app = http.Application()
    build(app)
    local runner = http.AppRunner(app, opts)
    runner:setup()
    local tasks = {}
    local function connect(pair)
      local mine, theirs = testing.stream_pair(pair)
      tasks[#tasks + 1] = aio.create_task(function()
        local _ <close> = theirs
        require("aio.http.serve").serve(runner._settings, theirs, false)
      end)
      return kit.raw(mine), tasks[#tasks]
    end
    fn(connect)
    runner:cleanup()
    for _, task in ipairs(tasks) do pcall(task.await, task) end
  end, { debug = false })
end

return M
