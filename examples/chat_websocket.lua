-- A chat in the browser: chat_websocket.lua [port] (default 8081; 0 takes a free one), then open
-- http://127.0.0.1:8081/ in two windows.
-- Each connection has a task that receives and one that sends what is in its queue: so speaking
-- never waits for a slow reader, and one whose queue is full is closed.
local aio = require "aio"
local http = require "aio.http"

local BOUND = 100 -- messages that a reader may be behind
local PAGE = (arg[0]:match "^(.*/)" or "./") .. "chat_websocket/index.html"

local guests = {} -- queue of each connection -> its name and task
local count = 0

local function broadcast(text)
  for queue, guest in pairs(guests) do -- nothing in this loop waits
    if queue:full() then
      guests[queue] = nil
      guest.task:cancel "too slow"
      print(guest.name .. " is too slow: dropped")
    else
      queue:put_nowait(text)
    end
  end
end

local function send_all(ws, queue)
  for text in queue:items() do ws:send(text) end
end

local function talk(ws)
  local queue = aio.Queue(BOUND)
  count = count + 1
  local name = "guest " .. count
  guests[queue] = { name = name, task = aio.current_task() }
  local _ <close> = aio.defer(function()
    guests[queue] = nil
    broadcast(name .. " left")
  end)
  local _ <close> = aio.create_task(send_all, ws, queue)
  broadcast(name .. " came")
  for msg in ws:messages() do
    if msg.type == "text" then broadcast(name .. ": " .. msg.data) end
  end
end

local app = http.Application()
app:get("/", function() return http.file(PAGE) end)
app:websocket("/chat", talk, { max_msg_size = 1024, heartbeat = 30 })

io.stdout:setvbuf "line"
http.run_app(app, { host = "127.0.0.1", port = tonumber((...) or 8081), print = function(text)
  local at = text:match "127%.0%.0%.1:%d+"
  if at then print("listening on " .. at) end
end })
