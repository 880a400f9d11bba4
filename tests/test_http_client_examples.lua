-- SPDX-License-Identifier: MIT
-- The examples that use the HTTP client: what they print, and the reverse proxy at work.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then return { test_nothing = function() lu.skip "built without http" end } end

local aio = require "aio"
local http = require "aio.http"
local raw = require "support.raw_http"

local T = { elsewhere = true }

local function path_of(name) return ("%s/examples/%s.lua"):format(env.root, name) end

-- What stands behind "-- prints:" at the end of a program.
local function expected(name)
  local lines
  for line in io.lines(path_of(name)) do
    if lines then lines[#lines + 1] = line:gsub("^%-%- ?", "") end
    if line == "-- prints:" then lines = {} end
  end
  return table.concat(lines, "\n") .. "\n"
end

for _, name in ipairs { "downloader", "crawler" } do
  T["test_" .. name] = function()
    local pipe = assert(io.popen("exec 2>&1; env " .. env.command(env.quote(path_of(name)))))
    lu.assertEquals(pipe:read "a", expected(name))
    lu.assertTrue(pipe:close())
  end
end

function T.test_downloader_of_another_server()
  aio.run(function()
    local folder = aio.fs.mkdtemp()
    local _ <close> = aio.defer(aio.fs.remove, folder, { recursive = true })
    local server <close> = raw.answering(function(head)
      if head.range == "bytes=5-" then -- it is another file now
        return raw.response("all of the new one", "ETag: \"2\"\r\n")
      end
      return raw.response("all of it", "ETag: \"1\"\r\n")
    end)
    local file = folder .. "/file"
    for _, words in ipairs { "all of it", "all of the new one" } do
      local child = aio.create_subprocess_shell(("exec env %s %s/x.txt %s >/dev/null 2>&1"):format(
        env.command(env.quote(path_of "downloader")), server.url, env.quote(file)))
      lu.assertEquals(child:wait(), 0)
      lu.assertEquals(aio.fs.read(file), words)
      aio.fs.write(file .. ".part", "old p") -- as if it had been broken off
      aio.fs.write(file .. ".tag", "\"0\"")
    end
  end)
end

-- Runs fn(session, url) beside a reverse proxy, which is then ended with Ctrl-C.
local function with_proxy(backend, fn)
  aio.run(function()
    local child <close> = aio.create_subprocess_shell(("exec env %s 0 %s 2>&1"):format(
      env.command(env.quote(path_of "reverse_proxy")), backend or ""), { stdout = aio.PIPE })
    local port = child.stdout:readline():match "^listening on 127%.0%.0%.1:(%d+)\n$"
    local session <close> = http.ClientSession()
    fn(session, "http://127.0.0.1:" .. port, child)
    child:send_signal "SIGINT"
    lu.assertEquals(child.stdout:read "a", "")
    lu.assertEquals(child:wait(), 0)
  end)
end

function T.test_reverse_proxy()
  with_proxy(nil, function(session, url)
    local host = url:sub(8)
    for _ = 1, 2 do
      lu.assertEquals(session:post(url .. "/a/b?c=d", { data = "hello" }):text(),
        ("POST /a/b?c=d for %s, 5 bytes\n"):format(host))
      lu.assertEquals(session:get(url .. "/"):text(), ("GET / for %s, 0 bytes\n"):format(host))
      lu.assertEquals(session:head(url .. "/").status, 200)
      local left = 100
      lu.assertEquals(session:put(url .. "/up", { data = function()
        left = left - 1
        return left >= 0 and ("x"):rep(10000) or nil
      end }):text(), ("PUT /up for %s, 1000000 bytes\n"):format(host))
    end
  end)
end

-- A backend of raw bytes, since the proxy has to pass on what it gets.
function T.test_what_reverse_proxy_passes_on()
  local ready = aio.Event()
  local seen
  aio.run(function()
    local server <close> = raw.serve(function(conn)
      seen = raw.head(conn)
      if seen.target == "/cut" then
        return conn:write "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"
      end
      conn:write "HTTP/1.1 201 Made\r\nX-Two: 1\r\nX-Two: 2\r\nConnection: X-Own\r\nX-Own: 3\r\n"
      conn:write "Set-Cookie: a=b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
      ready:wait()
      conn:write "4\r\nlast\r\n0\r\n\r\n"
    end)
    local url = server.url
    local child <close> = aio.create_subprocess_shell(("exec env %s 0 %s 2>&1"):format(
      env.command(env.quote(path_of "reverse_proxy")), url), { stdout = aio.PIPE })
    local port = child.stdout:readline():match "(%d+)\n$"
    local session <close> = http.ClientSession()
    local res <close> = session:get(("http://127.0.0.1:%s/x"):format(port),
      { headers = { ["X-Mine"] = "1", Connection = "close" } })
    lu.assertEquals(res.status, 201)
    lu.assertEquals(res.headers:get_all "x-two", { "1", "2" })
    lu.assertEquals(res.headers["set-cookie"], "a=b")
    lu.assertNil(res.headers["x-own"])
    lu.assertEquals(res.content:readexactly(5), "first") -- before the rest is there
    ready:set()
    lu.assertEquals(res.content:read "a", "last")
    lu.assertEquals(seen["x-mine"], "1")
    lu.assertEquals(seen["x-forwarded-for"], "127.0.0.1")
    lu.assertEquals(seen["x-forwarded-host"], "127.0.0.1:" .. port)
    -- an answer that is cut short is not passed on as a whole one
    local cut = session:get(("http://127.0.0.1:%s/cut"):format(port))
    raw.raised(http.ClientPayloadError, cut.read, cut)
    child:send_signal "SIGINT"
    child.stdout:read "a"
    lu.assertEquals(child:wait(), 0)
  end)
end

function T.test_reverse_proxy_without_its_backend()
  with_proxy("http://127.0.0.1:1", function(session, url)
    lu.assertEquals(session:get(url).status, 502)
    lu.assertEquals(session:post(url, { data = "x" }).status, 502)
  end)
end

return T
