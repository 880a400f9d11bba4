-- SPDX-License-Identifier: MIT
-- A small real service: notes over a JSON API, a WebSocket feed of what changes, and a page in the
-- folder `service` that shows both.
--   tools/quickstart examples/service.lua [port]       then open http://127.0.0.1:8080/
--   curl http://127.0.0.1:8080/api/notes
--   curl http://127.0.0.1:8080/api/notes -H 'Content-Type: application/json' -d '{"text": "milk"}'
--   curl -X DELETE http://127.0.0.1:8080/api/notes/1
--   curl -N http://127.0.0.1:8080/events

local aio = require "aio"
local http = require "aio.http"
local json = require "aio.json"

local PAGE = (arg[0]:match "^(.*/)" or "./") .. "service"
local MAX_NOTES, MAX_TEXT, FEED_EVENTS = 1000, 1000, 16

-- ---- what the service knows ----

local notes, last_id = {}, 0
local feeds = {} -- the queue of each open feed

local function leave(queue)
  feeds[queue] = nil
  queue:shutdown(true)
end

-- Tells every feed. One whose reader is so slow that its queue is full is ended, so that it neither
-- holds up the others nor grows: its page connects again and loads the list.
local function publish(event)
  local text = json.encode(event)
  for queue in pairs(feeds) do
    if queue:full() then leave(queue) else queue:put_nowait(text) end
  end
end

local function find(req)
  local id = math.tointeger(tonumber(req.match_info.id))
  for i, note in ipairs(notes) do
    if note.id == id then return i, note end
  end
  error(http.NotFound "there is no such note")
end

-- ---- the API ----

local function list() return http.json { notes = json.array(notes) } end

local function show(req)
  local _, note = find(req)
  return http.json(note)
end

local function add(req)
  local body = req:json()
  local text = type(body) == "table" and body.text
  if type(text) ~= "string" or text == "" or #text > MAX_TEXT then
    error(http.BadRequest("a text of 1 to 1000 bytes expected, as {\"text\": \"...\"}"))
  end
  if #notes >= MAX_NOTES then error(http.InsufficientStorage "too many notes") end
  last_id = last_id + 1
  local note = { id = last_id, text = text }
  notes[#notes + 1] = note
  publish { event = "added", note = note }
  return http.json(note, { status = 201, headers = { Location = "/api/notes/" .. note.id } })
end

local function remove(req)
  local i, note = find(req)
  table.remove(notes, i)
  publish { event = "removed", note = note }
  return http.Response { status = 204 }
end

-- ---- the feed ----

-- A queue that gets what is published from now on.
local function subscribe()
  local queue = aio.Queue(FEED_EVENTS)
  feeds[queue] = true
  return queue
end

-- Sends what is published until the client goes; a task of its own reads, since only a reader sees
-- the client's close.
local function feed(ws)
  local queue = subscribe()
  local _ <close> = aio.defer(leave, queue)
  local group <close> = aio.TaskGroup()
  group:create_task(function()
    for _ in ws:messages() do end -- the feed goes one way
    leave(queue)
  end)
  for text in queue:items() do ws:send(text) end
  ws:close()
end

-- The same as server-sent events.
local function events()
  return http.sse(function(out)
    local queue = subscribe()
    local _ <close> = aio.defer(leave, queue)
    for text in queue:items() do out:send { data = text } end
  end)
end

-- ---- putting it together ----

local function timing(req, next)
  local started = aio.get_running_loop():time()
  local response = next(req)
  response.headers["Server-Timing"] =
    ("app;dur=%.3f"):format((aio.get_running_loop():time() - started) * 1000)
  return response
end

local app = http.Application()
app:use(timing)
app:get("/api/notes", list)
app:post("/api/notes", add)
app:get("/api/notes/{id:%d+}", show)
app:delete("/api/notes/{id:%d+}", remove)
app:websocket("/feed", feed)
app:get("/events", events)
app:static("/", PAGE, { index = "index.html" })

http.run_app(app, { host = "127.0.0.1", port = tonumber(arg[1] or 8080) })
