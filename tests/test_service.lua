-- SPDX-License-Identifier: MIT
-- The service of the guide (examples/service.lua): its API, its feed, and its page in a browser.
local aio = require "aio"
local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then
  return { test_http = function() lu.skip "built without HTTP" end }
end

local browser = require "support.browser"
local http = require "aio.http"
local json = require "aio.json"

local T = { elsewhere = true }

-- Starts the service on a free port, calls fn(session, url), and ends it with Ctrl-C.
local function with_service(fn)
  aio.run(function()
    local words = env.command(env.quote(env.root .. "/examples/service.lua") .. " 0")
    local service <close> = aio.create_subprocess_shell("exec env " .. words,
      { stdout = aio.PIPE, stderr = aio.STDOUT })
    local line = service.stdout:readline()
    local port = line:match "http://127%.0%.0%.1:(%d+)"
    lu.assertNotNil(port, line)
    do
      local session <close> = http.ClientSession { base_url = "http://127.0.0.1:" .. port }
      fn(session, "http://127.0.0.1:" .. port)
    end
    service:send_signal "SIGINT"
    local rest = service.stdout:read("a")
    service:wait()
    lu.assertNil(rest:find("error", 1, true), rest)
  end)
end

local function add(session, text)
  local response <close> = session:post("/api/notes", { json = { text = text } })
  lu.assertEquals(response.status, 201)
  return response:json()
end

function T.test_api()
  with_service(function(session)
    lu.assertEquals(session:get("/api/notes"):text(), '{"notes":[]}')
    local note = add(session, "milk")
    lu.assertEquals(note, { id = 1, text = "milk" })
    lu.assertEquals(session:get("/api/notes/1"):json(), note)
    for _, bad in ipairs { '{"text": ""}', '{"text": 1}', "[]", "{", "null" } do
      local response <close> = session:post("/api/notes",
        { data = bad, headers = { ["Content-Type"] = "application/json" } })
      lu.assertEquals(response.status, 400, bad)
    end
    lu.assertEquals(session:delete("/api/notes/1").status, 204)
    lu.assertEquals(session:delete("/api/notes/1").status, 404)
    lu.assertEquals(session:put("/api/notes/1").status, 405)
    lu.assertEquals(session:get("/../service.lua").status, 404)
  end)
end

function T.test_feed()
  with_service(function(session)
    local ws <close> = session:ws_connect "/feed"
    local note = add(session, "tea")
    lu.assertEquals(json.decode(tostring(ws:receive())), { event = "added", note = note })
    session:delete("/api/notes/" .. note.id)
    lu.assertEquals(json.decode(tostring(ws:receive())), { event = "removed", note = note })
  end)
end

function T.test_server_sent_events()
  with_service(function(session)
    local response <close> = session:get "/events"
    local note = add(session, "jam")
    local next_event = response:events()
    lu.assertEquals(json.decode(next_event().data), { event = "added", note = note })
  end)
end

function T.test_page_in_a_browser()
  if not browser.is_there() then lu.skip "there is no chromium" end
  with_service(function(session, url)
    add(session, "from the API")
    local profile = aio.fs.mkdtemp()
    local _ <close> = aio.defer(aio.fs.remove, profile, { recursive = true })
    browser.with_page(profile, url .. "/", function(page)
      page:wait_until "document.getElementById('state')?.textContent === 'live'"
      page:wait_until "document.querySelectorAll('#notes li').length === 1"
      page:evaluate [[document.getElementById('text').value = 'from <the> page';
        document.querySelector('#add button').click()]]
      page:wait_until "document.querySelectorAll('#notes li').length === 2"
      lu.assertEquals(page:evaluate [[
        document.querySelector('#notes li:nth-child(2) span').textContent]], "from <the> page")
      lu.assertEquals(#session:get("/api/notes"):json().notes, 2)
      page:evaluate "document.querySelector('#notes li button').click()"
      page:wait_until "document.querySelectorAll('#notes li').length === 1"
      local shot = os.getenv "AIO_TEST_SCREENSHOT" -- a file for those who want to see it
      if shot then
        local file = assert(io.open(shot, "w"))
        file:write(page:screenshot())
        file:close()
      end
    end)
  end)
end

return T
