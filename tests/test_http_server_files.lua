-- SPDX-License-Identifier: MIT
-- Files: whole, in ranges, conditional, compressed beforehand, and no way out of the folder.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local support = require "support.http"

local T = {}

local get, once = support.get, support.once

-- Runs fn(server, dir) with the folder served below /s and `build`'s routes.
local function serve(fn, opts, build)
  aio.run(function()
    local top = aio.fs.mkdtemp()
    local _ <close> = aio.defer(aio.fs.remove, top, { recursive = true })
    local dir = top .. "/files"
    aio.fs.mkdir(dir .. "/sub", { parents = true })
    aio.fs.write(top .. "/secret", "secret")
    aio.fs.write(dir .. "/a.txt", "0123456789")
    aio.fs.write(dir .. "/sub/index.html", "<p>")
    aio.fs.write(dir .. "/.hidden", "hidden")
    aio.fs.write(dir .. "/big.bin", ("x"):rep(300000))
    local app = http.Application()
    app:static("/s", dir, opts)
    app:get("/ok", function() return "ok" end)
    if build then build(app, dir) end
    local server <close> = require("aio.http.testing").TestServer(app)
    fn(server, dir)
  end)
end

function T.test_whole_files()
  serve(function(server)
    local raw <close> = server:connect()
    local res = raw:ask(get "/s/a.txt")
    lu.assertEquals({ res.status, res.body, res.headers["Content-Type"],
      res.headers["Accept-Ranges"], res.headers["Content-Length"] },
      { 200, "0123456789", "text/plain; charset=utf-8", "bytes", "10" })
    lu.assertNotNil(res.headers["ETag"])
    lu.assertNotNil(res.headers["Last-Modified"])
    res = raw:ask(get "/s/big.bin")
    lu.assertEquals(#res.body, 300000)
    res = raw:ask "HEAD /s/big.bin HTTP/1.1\r\nHost: h\r\n\r\n"
    lu.assertEquals({ res.status, res.headers["Content-Length"], res.body }, { 200, "300000", "" })
    lu.assertEquals(raw:ask(get "/s/sub%2findex.html").status, 404)
    lu.assertEquals(raw:ask(get "/s/sub/index.htm%6C").body, "<p>")
    lu.assertEquals(raw:ask(get "/s/none").status, 404)
    lu.assertEquals(raw:ask(get "/s/a.txt/").status, 404)
    lu.assertEquals(raw:ask(get "/s/a.txt/b").status, 404)
    lu.assertEquals(raw:ask(get "/s/sub").status, 404) -- no index without the option
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
  end)
end

function T.test_no_way_out()
  serve(function(server, dir)
    aio.fs.symlink("../secret", dir .. "/link")
    aio.fs.symlink("..", dir .. "/up")
    aio.fs.symlink("a.txt", dir .. "/inside")
    local raw <close> = server:connect()
    for _, path in ipairs {
      "/s/../secret", "/s/%2e%2e/secret", "/s/%2E%2E%2Fsecret", "/s/..%2fsecret",
      "/s/sub/../../secret",
      "/s/sub/%2e%2e/%2e%2e/secret", "/s//etc/passwd", "/s/%2fetc/passwd", "/s/etc/passwd%00.txt",
      "/s/a.txt%00", "/s/..%5csecret", "/s/%5c..%5csecret", "/s/....//secret", "/s/./a.txt",
      "/s/link", "/s/up/secret", "/s/.hidden", "/s/%2ehidden", "/s/C:/x",
      "/s/sub//index.html", "/s/a.txt%0a", "/s/%252e%252e/secret",
    } do
      local res = raw:ask(get(path))
      lu.assertEquals(res.status, 404, path)
      lu.assertEquals(res.body, "404: Not Found")
    end
    lu.assertEquals(raw:ask(get "/s/inside").body, "0123456789")
    lu.assertEquals(raw:ask(get "/s/a.txt").body, "0123456789")
  end)
end

function T.test_the_folder_of_everything()
  serve(function(server, dir)
    aio.fs.symlink("a.txt", dir .. "/link")
    local raw <close> = server:connect()
    for _, name in ipairs { "/a.txt", "/link" } do
      lu.assertEquals(raw:ask(get("/all" .. aio.fs.realpath(dir) .. name)).body, "0123456789")
    end
    lu.assertEquals(raw:ask(get("/all" .. dir .. "/.hidden")).status, 404)
  end, nil, function(app) app:static("/all", "/") end)
end

function T.test_options_of_a_folder()
  serve(function(server, dir)
    aio.fs.symlink("../secret", dir .. "/link")
    local raw <close> = server:connect()
    local res = raw:ask(get "/s/sub")
    lu.assertEquals({ res.status, res.headers.Location }, { 301, "/s/sub/" })
    res = raw:ask(get "/s/sub/")
    lu.assertEquals({ res.body, res.headers["Content-Type"], res.headers["Cache-Control"],
      res.headers["X-A"] }, { "<p>", "text/html; charset=utf-8", "max-age=60", "1" })
    lu.assertEquals(raw:ask(get "/s/").status, 404)
    lu.assertEquals(raw:ask(get "/s//").status, 404)
    lu.assertEquals(raw:ask(get "/s/link").body, "secret")
    lu.assertEquals(raw:ask(get "/s/.hidden").body, "hidden")
    lu.assertEquals(server.app:url_for("files", { tail = "sub/a b" }), "/s/sub/a%20b")
  end, { index = true, follow_symlinks = true, hidden = true, max_age = 60, name = "files",
    headers = { ["X-A"] = "1" } })
end

function T.test_conditional_requests()
  serve(function(server)
    local raw <close> = server:connect()
    local first = raw:ask(get "/s/a.txt")
    local etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    local function ask(more) return raw:ask(get("/s/a.txt", more)).status end
    lu.assertEquals(ask("If-None-Match: " .. etag .. "\r\n"), 304)
    lu.assertEquals(ask("If-None-Match: W/" .. etag .. ", \"x\"\r\n"), 304)
    lu.assertEquals(ask "If-None-Match: *\r\n", 304)
    lu.assertEquals(ask "If-None-Match: \"x\"\r\n", 200)
    lu.assertEquals(ask("If-Modified-Since: " .. modified .. "\r\n"), 304)
    lu.assertEquals(ask "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 200)
    lu.assertEquals(ask "If-Modified-Since: nonsense\r\n", 200)
    lu.assertEquals(ask("If-None-Match: \"x\"\r\nIf-Modified-Since: " .. modified .. "\r\n"), 200)
    lu.assertEquals(ask("If-Match: " .. etag .. "\r\n"), 200)
    lu.assertEquals(ask "If-Match: \"x\"\r\n", 412)
    lu.assertEquals(ask("If-Match: W/" .. etag .. "\r\n"), 412)
    lu.assertEquals(ask "If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 412)
    lu.assertEquals(ask("If-Unmodified-Since: " .. modified .. "\r\n"), 200)
    local res = raw:ask(get("/s/a.txt", "If-None-Match: " .. etag .. "\r\n"))
    lu.assertEquals({ res.body, res.headers["ETag"] }, { "", etag })
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
  end)
end

-- A file in the answer to another method: nothing to be kept, so what was not to be there is there.
function T.test_conditions_of_other_methods()
  serve(function(server)
    local raw <close> = server:connect()
    local first = raw:ask(get "/s/a.txt")
    local etag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    local function ask(more) return raw:ask(support.post("/file", "", more)).status end
    lu.assertEquals(ask("If-None-Match: " .. etag .. "\r\n"), 412)
    lu.assertEquals(ask "If-None-Match: *\r\n", 412)
    lu.assertEquals(ask "If-None-Match: \"x\"\r\n", 200)
    lu.assertEquals(ask("If-Modified-Since: " .. modified .. "\r\n"), 200)
    local text = get("/s/a.txt", "If-None-Match: " .. etag .. "\r\n"):gsub("GET", "HEAD")
    lu.assertEquals(raw:ask(text).status, 304)
  end, nil, function(app, dir)
    app:post("/file", function() return http.file(dir .. "/a.txt") end)
  end)
end

function T.test_ranges()
  serve(function(server)
    local raw <close> = server:connect()
    local function ask(range, more)
      local res = raw:ask(get("/s/a.txt", "Range: " .. range .. "\r\n" .. (more or "")))
      return { res.status, res.body, res.headers["Content-Range"] }
    end
    lu.assertEquals(ask "bytes=0-0", { 206, "0", "bytes 0-0/10" })
    lu.assertEquals(ask "bytes=2-4", { 206, "234", "bytes 2-4/10" })
    lu.assertEquals(ask "bytes=7-", { 206, "789", "bytes 7-9/10" })
    lu.assertEquals(ask "bytes=7-100", { 206, "789", "bytes 7-9/10" })
    lu.assertEquals(ask "bytes=-2", { 206, "89", "bytes 8-9/10" })
    lu.assertEquals(ask "bytes=-100", { 206, "0123456789", "bytes 0-9/10" })
    local whole = { 200, "0123456789" }
    for _, range in ipairs { "bytes=4-2", "bytes=a-b", "lines=0-1", "bytes=0-1,3-4", "bytes=",
      "bytes=-", "bytes=0-99999999999999999999" } do
      lu.assertEquals(ask(range), whole, range)
    end
    lu.assertEquals({ ask "bytes=10-"[1], ask "bytes=10-"[3] }, { 416, "bytes */10" })
    lu.assertEquals(ask "bytes=-0"[1], 416)
    local etag = raw:ask(get "/s/a.txt").headers["ETag"]
    lu.assertEquals(ask("bytes=0-1", "If-Range: " .. etag .. "\r\n")[2], "01")
    lu.assertEquals(ask("bytes=0-1", "If-Range: \"x\"\r\n"), whole)
    lu.assertEquals(ask("bytes=0-1", "If-Range: Thu, 01 Jan 1970 00:00:00 GMT\r\n"), whole)
    lu.assertEquals(ask("bytes=0-1", "If-Range: nonsense\r\n"), whole)
    local big = raw:ask(get("/s/big.bin", "Range: bytes=100000-\r\n"))
    lu.assertEquals({ #big.body, big.headers["Content-Range"] },
      { 200000, "bytes 100000-299999/300000" })
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
  end)
end

function T.test_files_that_were_compressed_beforehand()
  serve(function(server, dir)
    aio.fs.write(dir .. "/a.txt.gz", "gzipped")
    aio.fs.write(dir .. "/a.txt.br", "brotli")
    local raw <close> = server:connect()
    local function ask(accept)
      local res = raw:ask(get("/s/a.txt", accept and "Accept-Encoding: " .. accept .. "\r\n"))
      return { res.body, res.headers["Content-Encoding"], res.headers["Content-Type"] }
    end
    local kind = "text/plain; charset=utf-8"
    lu.assertEquals(ask "gzip", { "gzipped", "gzip", kind })
    lu.assertEquals(ask "gzip, br", { "brotli", "br", kind })
    lu.assertEquals(ask "gzip, br;q=0.5", { "gzipped", "gzip", kind })
    lu.assertEquals(ask "zstd, gzip;q=0.5", { "gzipped", "gzip", kind })
    lu.assertEquals(ask "*", { "brotli", "br", kind })
    lu.assertEquals(ask "gzip;q=0", { "0123456789", nil, kind })
    lu.assertEquals(ask(), { "0123456789", nil, kind })
    lu.assertEquals(raw:ask(get "/s/a.txt").headers.Vary, "Accept-Encoding")
    aio.fs.utime(dir .. "/a.txt.br", 0, 0) -- older than the file: not of it
    lu.assertEquals(ask "br", { "0123456789", nil, kind })
    lu.assertEquals(ask "br, gzip", { "gzipped", "gzip", kind })
  end)
end

function T.test_http_file()
  serve(function(server)
    local raw <close> = server:connect()
    local res = raw:ask(get "/file")
    lu.assertEquals({ res.status, res.body, res.headers["Content-Type"],
      res.headers["Content-Disposition"], res.headers["X-A"] }, { 200, "0123456789", "a/b",
      "attachment; filename=\"na__me_.txt\"; filename*=UTF-8''na%C3%A4me%22.txt", "1" })
    lu.assertEquals(raw:ask(get "/none").status, 404)
    lu.assertEquals(raw:ask(get "/folder").status, 404)
    lu.assertEquals(raw:ask(get "/made").status, 201)
    lu.assertEquals(raw:ask(get "/ok").body, "ok")
  end, nil, function(app, dir)
    app:get("/file", function()
      return http.file(dir .. "/a.txt", { content_type = "a/b", filename = 'naäme".txt',
        headers = { ["X-A"] = "1" } })
    end)
    app:get("/none", function() return http.file(dir .. "/none") end)
    app:get("/folder", function() return http.file(dir) end)
    app:get("/made", function() return http.file(dir .. "/a.txt", { status = 201 }) end)
  end)
end

-- What was announced cannot be sent: the client must see that.
function T.test_a_file_that_shrinks_while_it_is_sent()
  local reports = {}
  serve(function(server, dir)
    aio.get_running_loop():set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
    aio.fs.write(dir .. "/huge.bin", ("x"):rep(20 << 20))
    do
      local raw <close> = server:connect { limit = 1024 }
      raw:send(get "/s/huge.bin")
      raw.conn:readuntil "\r\n\r\n"
      local file = assert(io.open(dir .. "/huge.bin", "r+b"))
      file:close()
      assert(io.open(dir .. "/huge.bin", "wb")):close()
      local size = 0
      pcall(function()
        for data in function() return raw.conn:read(65536) end do size = size + #data end
      end)
      lu.assertTrue(size < 20 << 20)
    end
    lu.assertEquals(once(server, get "/ok").body, "ok")
    lu.assertStrContains(tostring(reports[1].exception), "has become shorter")
  end)
end

function T.test_wrong_arguments()
  local app = http.Application()
  lu.assertErrorMsgContains("a prefix like", app.static, app, "s", "/tmp")
  lu.assertErrorMsgContains("path of a folder", app.static, app, "/s", nil)
  lu.assertErrorMsgContains("unknown option", app.static, app, "/s", "/tmp", { indx = true })
  lu.assertErrorMsgContains("path expected", http.file, nil)
  lu.assertErrorMsgContains("unknown option", http.file, "x", { sttus = 1 })
end

function T.test_redirects()
  local function place(...)
    local res = http.redirect(...)
    return { res.status, res.headers.Location }
  end
  lu.assertEquals(place "/a?b=c#d", { 302, "/a?b=c#d" })
  lu.assertEquals(place("b/c", 303), { 303, "b/c" })
  lu.assertEquals(place("https://example.test/x", 308, { external = true }),
    { 308, "https://example.test/x" })
  for _, url in ipairs { "//evil.test", "/\\evil.test", "\\\\evil.test", "https://evil.test",
    "HTTP:evil.test", "javascript:alert(1)", " //evil.test", "/ /evil.test", "data:x" } do
    lu.assertErrorMsgContains("another site", http.redirect, url)
  end
  for _, url in ipairs { "javascript:alert(1)", "data:x", "//evil.test", "https:evil.test",
    "http:///x" } do
    lu.assertErrorMsgContains("http:// or https://", http.redirect, url, 302, { external = true })
  end
  lu.assertErrorMsgContains("is empty", http.redirect, "")
  lu.assertErrorMsgContains("control characters", http.redirect, "/a\r\nb: c")
  lu.assertErrorMsgContains("303, 307", http.redirect, "/a", 200)
end

-- A compressed sibling leads no further than the file itself may.
function T.test_siblings_that_are_links()
  for _, follow in ipairs { false, true } do
    serve(function(server, dir)
      aio.fs.symlink("../secret", dir .. "/a.txt.gz")
      aio.fs.utime(dir .. "/a.txt", 0, 0) -- the sibling is no older
      local res = once(server, get("/s/a.txt", "Accept-Encoding: gzip\r\n"))
      lu.assertEquals(res.body, follow and "secret" or "0123456789")
      lu.assertEquals(res.headers["Content-Encoding"], follow and "gzip" or nil)
    end, { follow_symlinks = follow })
  end
end

return T
