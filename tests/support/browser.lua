-- SPDX-License-Identifier: MIT
-- A headless Chromium with one page, driven through its debugging port by the HTTP client and the
-- WebSocket client of the build under test.

local aio = require "aio"
local http = require "aio.http"
local json = require "aio.json"

local browser = {}

local FLAGS = {
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--remote-debugging-port=0", "--window-size=700,500",
}

---@return boolean  whether there is a Chromium
function browser.is_there()
  return (os.execute "command -v chromium >/dev/null 2>&1") == true
end

local Page = {}
Page.__index = Page

-- One command of the debugging protocol; events in between are passed over.
function Page:_ask(method, params)
  self._last = self._last + 1
  self._ws:send_json { id = self._last, method = method, params = params }
  for message in self._ws:messages() do
    local answer = json.decode(tostring(message))
    if answer.id == self._last then
      assert(not answer.error, answer.error and answer.error.message)
      return answer.result
    end
  end
  error("the browser has gone", 0)
end

---What an expression is worth in the page; a promise is awaited.
function Page:evaluate(expression)
  local answer = self:_ask("Runtime.evaluate",
    { expression = expression, awaitPromise = true, returnByValue = true })
  local thrown = answer.exceptionDetails
  if thrown then error(thrown.exception and thrown.exception.description or thrown.text, 0) end
  return answer.result.value
end

---Waits until an expression is true in the page, looked at after each change of the document.
function Page:wait_until(expression)
  return self:evaluate(([[new Promise((done) => {
    const look = () => { if (%s) { watcher.disconnect(); done(true); } };
    const watcher = new MutationObserver(look);
    watcher.observe(document, { childList: true, subtree: true, characterData: true });
    look();
  })]]):format(expression))
end

---@return string  the page as a PNG, in Base64
function Page:screenshot() return self:_ask("Page.captureScreenshot", { format = "png" }).data end

-- The address of the debugging port, which the browser says on standard error.
local function debugging_port(process)
  for line in process.stderr:lines() do
    local port = line:match "DevTools listening on ws://127%.0%.0%.1:(%d+)/"
    if port then return port end
  end
  error("the browser did not start", 0)
end

---Opens a page and calls fn(page); the browser ends after it. [suspends]
---@param profile string a new folder
function browser.with_page(profile, url, fn)
  local args = { table.unpack(FLAGS) }
  args[#args + 1] = "--user-data-dir=" .. profile
  args[#args + 1] = { stdout = aio.DEVNULL, stderr = aio.PIPE, new_session = true }
  local process <close> = aio.create_subprocess_exec("chromium", table.unpack(args))
  local base = "http://127.0.0.1:" .. debugging_port(process)
  local group <close> = aio.TaskGroup()
  group:create_task(function() process.stderr:read("a") end)
  local session <close> = http.ClientSession()
  local targets = session:get(base .. "/json/list"):json()
  local page
  for _, target in ipairs(targets) do
    if target.type == "page" then page = target end
  end
  local ws <close> = session:ws_connect(page.webSocketDebuggerUrl, { max_msg_size = 1 << 26 })
  local self = setmetatable({ _ws = ws, _last = 0 }, Page)
  self:_ask("Page.navigate", { url = url })
  fn(self)
  self:_ask("Browser.close")
  process:wait()
end

return browser
