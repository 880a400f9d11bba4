-- SPDX-License-Identifier: MIT
-- A long, quiet time with HTTP: aio-lua tests/soak/run.lua [seconds]
-- A server (server.lua) and a client, each a process; a client of every kind asks all the time, at
-- a gentle pace, and every answer is checked. What both take of memory is looked at all the while:
-- from a tenth of the time on neither may grow. In the end the server's descriptors are back.

package.path = arg[0]:gsub("soak/[^/]*$", "") .. "?.lua;" .. package.path

local env = require "support.env"
local aio = require "aio"
local http = require "aio.http"

local SAMPLES = 100
local PATIENCE = 60 -- seconds until the server has closed what was open
local PACE = 0.05 -- seconds between two questions of one client
local TOLERANCE, SLACK = 1.05, 1024 * 1024 -- what counts as flat: times, and bytes besides

local function expect(got, want)
  if got ~= want then
    error(("got %s, not %s"):format(tostring(got):sub(1, 80), tostring(want):sub(1, 80)), 0)
  end
end

-- ---- clients: fn(session, n) is one round ----

local clients = {}

function clients.hello(session) expect(session:get("/hello"):text(), "hello") end

function clients.user(session, n)
  local r = session:get("/user/u" .. n, { params = { q = n } }):json()
  expect(r.name .. r.query, "u" .. n .. n)
end

function clients.json(session, n)
  expect(session:post("/echo", { json = { n = n, list = { 1, "two", true } } }):json().n, n)
end

function clients.form(session, n)
  expect(session:post("/form", { form = { word = "w" .. n } }):text(), "w" .. n)
end

function clients.upload(session, n)
  local parts, size = n % 50, 0
  local data = function()
    if parts == 0 then return nil end
    parts, size = parts - 1, size + 3000
    return ("x"):rep(3000)
  end
  local text = session:post("/count", { data = data }):text()
  expect(text, tostring(size))
end

function clients.long(session) expect(#session:get("/long"):text(), 23 * 5000) end

function clients.stream(session)
  local r <close> = session:get "/stream"
  local lines = 0
  for _ in r:lines() do lines = lines + 1 end
  expect(lines, 100)
end

function clients.events(session)
  local r <close> = session:get "/events"
  local last
  for event in r:events() do last = event.data end
  expect(last, "event 10")
end

function clients.fails(session) expect(session:get("/fails").status, 409) end
function clients.missing(session, n) expect(session:get("/missing/" .. n).status, 404) end

-- The answer comes too late for who asks, mostly.
function clients.impatient(session)
  local ok, r = aio.catch(aio.TimeoutError, session.get, session, "/slow", { timeout = 0.01 })
  if ok then expect(r:text(), "slow") end
end

function clients.websocket(session, n)
  local ws <close> = session:ws_connect("/ws", { compress = n % 2 == 0 })
  for i = 1, 5 do
    local text = ("message %d "):format(i):rep(n % 100 + 1)
    ws:send(text)
    expect(ws:receive().data, text)
  end
end

-- ---- what they take ----

local function memory_of(pid)
  return env.read(("/proc/%s/statm"):format(pid)):match "^%d+ (%d+)" * 4096
end

local function descriptors_of(pid)
  local pipe = assert(io.popen(("ls /proc/%s/fd | wc -l"):format(pid)))
  local n = pipe:read("n")
  pipe:close()
  return n
end

local function median(list, first, last)
  local some = table.move(list, first, last, 1, {})
  table.sort(some)
  return some[#some // 2 + 1]
end

-- The same at a tenth and at the end?
local function check_flat(what, samples)
  local tenth = #samples // 10
  local early = median(samples, tenth + 1, 2 * tenth)
  local late = median(samples, #samples - tenth + 1, #samples)
  print(("%s: %.0f KiB after a tenth, %.0f KiB at the end"):format(what, early / 1024, late / 1024))
  if late > early * TOLERANCE + SLACK then error(what .. " grows", 0) end
end

local function watch(pids, seconds)
  local samples = {}
  for who in pairs(pids) do samples[who] = {} end
  for _ = 1, SAMPLES do
    aio.sleep(seconds / SAMPLES)
    for who, pid in pairs(pids) do table.insert(samples[who], memory_of(pid)) end
  end
  return samples
end

-- ---- the whole ----

local function ask_on(ask, session, counts)
  while true do
    ask(session, counts.n)
    counts.n = counts.n + 1
    aio.sleep(PACE)
  end
end

local function main(seconds)
  seconds = tonumber(seconds or 60)
  local words = env.command(env.quote(env.root .. "/tests/soak/server.lua"))
  local server <close> = aio.create_subprocess_shell("exec env " .. words, { stdout = aio.PIPE })
  local base = server.stdout:readline():match "http://[%d.:]+"
  local session <close> = http.ClientSession { base_url = base }
  local counts = { n = 1 }
  for _, ask in pairs(clients) do ask(session, 1) end -- each has been done once
  local before = descriptors_of(server.pid)
  local samples
  do
    local group <close> = aio.TaskGroup()
    local tasks = {}
    for _, ask in pairs(clients) do
      tasks[#tasks + 1] = group:create_task(ask_on, ask, session, counts)
    end
    samples = watch({ server = server.pid, client = aio.getpid() }, seconds)
    for _, task in ipairs(tasks) do task:cancel() end
  end
  session:close()
  aio.timeout(PATIENCE, function()
    while descriptors_of(server.pid) > before do aio.sleep(PACE) end
  end)
  server:send_signal "SIGINT"
  local code = server:wait()
  print(("%d rounds in %g s"):format(counts.n, seconds))
  check_flat("memory of the server", samples.server)
  check_flat("memory of the client", samples.client)
  expect(code, 0)
end

io.stdout:setvbuf("line")
aio.main(main, ...)
