-- Server-sent events, both sides in one program: a server whose clock ticks, a client that reads,
-- loses its connection and goes on after the last event that it has seen.
local aio = require "aio"
local http = require "aio.http"

local function ticker(events)
  local first = (tonumber(events.last_event_id) or 0) + 1
  events:send { retry = 100 } -- milliseconds until a client connects again
  for i = first, first + 2 do
    events:send { event = "tick", id = i, data = ("tick %d\nof many"):format(i) }
    aio.sleep(0.01)
  end
  -- the end of the response: the client is to connect again
end

local function read(session, url, last_id)
  local res <close> = session:get(url, { headers = { ["Last-Event-ID"] = last_id } })
  local seen = last_id
  for event in res:events() do
    print(event.event, event.id, (event.data:gsub("\n", " / ")), "retry " .. event.retry)
    seen = event.id
  end
  return seen
end

aio.main(function()
  local app = http.Application()
  app:get("/ticker", function() return http.sse(ticker) end)
  local runner = http.AppRunner(app)
  runner:setup()
  local site = http.TCPSite(runner, "127.0.0.1", 0)
  site:start()
  local _ <close> = aio.defer(runner.cleanup, runner)

  local session <close> = http.ClientSession()
  local url, last_id = ("http://127.0.0.1:%d/ticker"):format(site.port), nil
  for _ = 1, 2 do
    last_id = read(session, url, last_id)
    print("the connection ended after event " .. last_id)
    aio.sleep(0.1)
  end
end)

-- prints:
-- tick	1	tick 1 / of many	retry 100
-- tick	2	tick 2 / of many	retry 100
-- tick	3	tick 3 / of many	retry 100
-- the connection ended after event 3
-- tick	4	tick 4 / of many	retry 100
-- tick	5	tick 5 / of many	retry 100
-- tick	6	tick 6 / of many	retry 100
-- the connection ended after event 6
