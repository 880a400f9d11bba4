-- SPDX-License-Identifier: MIT
-- A request of an HTTP client that is cancelled in the very turn in which something else happens to
-- it. raw.case fails when an error is reported at which nobody could have looked.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then return { test_nothing = function() lu.skip "built without http" end } end

local aio = require "aio"
local http = require "aio.http"
local raw = require "support.raw_http"

local T = {}

local function collect()
  collectgarbage()
  collectgarbage()
end

local function ask(session, url)
  return aio.create_task(function() return session:get(url):read() end)
end

local function cancelled_as_its_connector_closes(go_on, url)
  local connector <close> = http.Connector { limit = 1 }
  local session <close> = http.ClientSession { connector = connector }
  local first, second = ask(session, url), ask(session, url)
  aio.sleep(0.1)
  connector:close()
  second:cancel()
  aio.wait { second }
  lu.assertTrue(second:cancelled())
  go_on:set()
  lu.assertEquals(first:await(), "ok")
end

T.test_while_it_waits_for_a_connection = raw.case(function()
  local go_on = aio.Event()
  local server <close> = raw.answering(function()
    go_on:wait()
    return raw.response "ok"
  end)
  cancelled_as_its_connector_closes(go_on, server.url)
  collect()
end)

-- Cancelled so many turns after the look-up may fail: in one of them the error is on its way.
local function cancelled_as_its_look_up_fails(turns)
  local asking, go_on = aio.Event(), aio.Event()
  local connector <close> = http.Connector { resolver = function()
    asking:set()
    go_on:wait()
    error(aio.OSError("no such name", { code = "EAI_NONAME" }), 0)
  end }
  local session <close> = http.ClientSession { connector = connector }
  local task = ask(session, "http://somewhere.test/")
  asking:wait()
  go_on:set()
  for _ = 1, turns do aio.sleep(0) end
  task:cancel()
  aio.wait { task }
  lu.assertFalse((pcall(task.result, task))) -- cancelled, or the error
end

T.test_while_a_name_is_looked_up = raw.case(function()
  for turns = 0, 5 do cancelled_as_its_look_up_fails(turns) end
  collect()
end)

-- An open of a file that has begun in the thread pool has its effect behind the cancellation.
local function late_open(path, mode)
  local _, err = pcall(aio.sleep, math.huge)
  aio.get_running_loop():call_soon(function()
    local file = io.open(path, mode)
    if file then file:close() end
  end)
  error(err, 0)
end

T.test_while_the_file_of_its_body_is_opened = raw.case(function()
  local folder = aio.fs.mkdtemp()
  local files = require "aio.file"
  local open = files.open
  local _ <close> = aio.defer(function()
    files.open = open
    aio.fs.remove(folder, { recursive = true })
  end)
  files.open = late_open
  local server <close> = raw.answering(function() return raw.response "ok" end)
  local connector <close> = http.Connector()
  local session <close> = http.ClientSession { connector = connector }
  local res <close> = session:get(server.url)
  local task = aio.create_task(res.save, res, folder .. "/body")
  aio.sleep(0.1)
  task:cancel()
  aio.wait { task }
  lu.assertTrue(task:cancelled())
  aio.sleep(0)
  aio.sleep(0)
  lu.assertEquals(aio.fs.scandir(folder), {})
end)

return T
