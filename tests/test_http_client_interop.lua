-- SPDX-License-Identifier: MIT
-- The HTTP client with servers that others have written: aiohttp, Node, Python's http.server, nginx
-- as an origin and as a reverse proxy; and with the server of this library. All are asked the same.

local env = require "support.env"
local lu = require "luaunit"

if not (env.has_http() and env.has_tls()) then
  return { test_nothing = function() lu.skip "built without http or tls" end }
end

local aio = require "aio"
local http = require "aio.http"
local optional = require "aio.optional"
local programs = require "support.programs"
local http_testing = require "aio.http.testing"

local T = {}

local BIG = 300000

-- ---- the servers ----

-- Each answers /text, /big, /chunked, /echo, /redirect, /cookies and /gzip, and takes its port.
local AIOHTTP = [[
import sys
from aiohttp import web
async def text(request): return web.Response(text="grüße")
async def big(request): return web.Response(body=b"x" * 300000)
async def chunked(request):
    res = web.StreamResponse()
    await res.prepare(request)
    for i in range(100): await res.write(b"part %d\n" % i)
    await res.write_eof()
    return res
async def echo(request):
    body = await request.read()
    return web.Response(body=body, content_type=request.content_type,
                        headers={"X-Length": str(len(body)), "X-Method": request.method})
async def redirect(request): raise web.HTTPFound("/text")
async def cookies(request):
    res = web.Response(text=request.cookies.get("k", "none"))
    res.set_cookie("k", "v", httponly=True)
    return res
async def gzip(request):
    res = web.Response(text="x" * 300000)
    res.enable_compression(web.ContentCoding.gzip)
    return res
app = web.Application(client_max_size=10**9)
for path, fn in [("/text", text), ("/big", big), ("/chunked", chunked), ("/redirect", redirect),
                 ("/cookies", cookies), ("/gzip", gzip)]:
    app.router.add_get(path, fn)
app.router.add_route("*", "/echo", echo)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
]]

local NODE = [[
const http = require('http'), zlib = require('zlib');
http.createServer((req, res) => {
  const parts = [];
  req.on('data', part => parts.push(part));
  req.on('end', () => {
    const body = Buffer.concat(parts);
    if (req.url === '/text') { res.setHeader('Content-Type', 'text/plain; charset=utf-8');
      res.end('grüße'); }
    else if (req.url === '/big') { res.setHeader('Content-Length', 300000);
      res.end('x'.repeat(300000)); }
    else if (req.url === '/chunked') {
      for (let i = 0; i < 100; i++) res.write(`part ${i}\n`);
      res.end();
    } else if (req.url === '/redirect') { res.writeHead(302, { Location: '/text' }); res.end(); }
    else if (req.url === '/cookies') {
      res.setHeader('Set-Cookie', 'k=v; HttpOnly; Path=/');
      const found = /k=(\w+)/.exec(req.headers.cookie || '');
      res.end(found ? found[1] : 'none');
    } else if (req.url === '/gzip') { res.setHeader('Content-Encoding', 'gzip');
      res.end(zlib.gzipSync('x'.repeat(300000))); }
    else {
      res.setHeader('X-Length', body.length);
      res.setHeader('X-Method', req.method);
      res.setHeader('Content-Type', req.headers['content-type'] || 'text/none');
      res.end(body);
    }
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
]]

-- HTTP/1.0, each connection for one request.
local PYTHON = [[
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def reply(self, body, fields={}, status=200):
        self.send_response(status)
        for name, value in fields.items(): self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD": self.wfile.write(body)
    def do_GET(self):
        if self.path == "/text":
            self.reply("grüße".encode(), {"Content-Type": "text/plain; charset=utf-8"})
        elif self.path == "/big": self.reply(b"x" * 300000)
        elif self.path == "/chunked": self.reply(b"".join(b"part %d\n" % i for i in range(100)))
        elif self.path == "/redirect": self.reply(b"", {"Location": "/text"}, 302)
        elif self.path == "/cookies":
            self.reply(b"v" if "k=v" in self.headers.get("Cookie", "") else b"none",
                       {"Set-Cookie": "k=v; HttpOnly"})
        elif self.path == "/gzip":
            import gzip
            self.reply(gzip.compress(b"x" * 300000), {"Content-Encoding": "gzip"})
        else: self.do_POST()
    do_HEAD = do_GET
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.reply(body, {"X-Length": str(len(body)), "X-Method": self.command,
                          "Content-Type": self.headers.get("Content-Type", "text/none")})
    do_PUT = do_DELETE = do_POST
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
]]

-- ---- what they are asked ----

local questions = {}

function questions.text(session, url)
  local res = session:get(url .. "/text")
  lu.assertEquals(res.status, 200)
  lu.assertEquals(res:text(), "grüße")
  lu.assertEquals(res.charset, "utf-8")
  lu.assertEquals(session:head(url .. "/text").status, 200)
end

function questions.bodies(session, url)
  lu.assertEquals(#session:get(url .. "/big"):read(), BIG)
  local n = 0
  for line in session:get(url .. "/chunked"):lines() do
    lu.assertEquals(line, "part " .. n)
    n = n + 1
  end
  lu.assertEquals(n, 100)
end

function questions.redirect(session, url)
  local res = session:get(url .. "/redirect")
  lu.assertEquals(res:text(), "grüße")
  lu.assertEquals(#res.history, 1)
end

function questions.cookies(session, url)
  lu.assertEquals(session:get(url .. "/cookies"):text(), "none")
  lu.assertEquals(session:get(url .. "/cookies"):text(), "v")
end

local function echoed(res, method, n)
  lu.assertEquals(res.headers["x-method"], method)
  lu.assertEquals(res.headers["x-length"], tostring(n))
  return res:read()
end

function questions.uploads(session, url)
  url = url .. "/echo"
  lu.assertEquals(echoed(session:post(url, { data = "abc" }), "POST", 3), "abc")
  lu.assertEquals(echoed(session:put(url, { form = { a = "b c" } }), "PUT", 5), "a=b+c")
  lu.assertEquals(#echoed(session:post(url, { data = ("x"):rep(BIG) }), "POST", BIG), BIG)
  lu.assertEquals(echoed(session:post(url), "POST", 0), "")
  lu.assertEquals(echoed(session:delete(url), "DELETE", 0), "")
end

function questions.chunks(session, url)
  local left = 10
  local res = session:post(url .. "/echo", { data = function()
    left = left - 1
    return left >= 0 and ("0123456789"):rep(1000) or nil
  end })
  lu.assertEquals(#echoed(res, "POST", 100000), 100000)
end

function questions.expect(session, url)
  local res = session:post(url .. "/echo", { data = "abc", expect100 = true })
  lu.assertEquals(echoed(res, "POST", 3), "abc")
end

function questions.compressed(session, url)
  if not optional.has "zlib" then return end
  local res = session:get(url .. "/gzip", { headers = { ["Accept-Encoding"] = "gzip" } })
  lu.assertEquals(res.headers["content-encoding"], "gzip")
  lu.assertEquals(res:read(), ("x"):rep(BIG))
end

function questions.many(session, url)
  local function ask(i)
    return echoed(session:post(url .. "/echo", { data = tostring(i) }), "POST", #tostring(i))
  end
  local list = {}
  for i = 1, 50 do list[i] = i end
  local answers = aio.map(ask, list, { limit = 10 })
  for i = 1, 50 do lu.assertEquals(answers[i], tostring(i)) end
end

-- Asks everything but what `without` names.
local function ask_all(url, without, opts)
  for name, ask in pairs(questions) do
    if not (without or {})[name] then
      opts = opts or {}
      opts.cookie_jar = http.CookieJar { unsafe = true }
      local session <close> = http.ClientSession(opts)
      local ok, err = pcall(ask, session, url)
      if not ok then error(("%s: %s"):format(name, tostring(err)), 0) end
    end
  end
end

-- ---- the cases ----

local function wait_until_up(port)
  for _ = 1, 4000 do
    local ok, conn = aio.catch(aio.OSError, aio.open_connection, "127.0.0.1", port)
    if ok then return conn:abort() end
    aio.sleep(0.025)
  end
  error("the server did not start", 0)
end

-- Runs fn(url) beside a program of which `command` has its port in it.
local function beside(files, command, fn)
  programs.with_files(files, function(dir)
    aio.run(function()
      local port = programs.free_port()
      local _ <close> = programs.start(dir, (command:gsub("PORT", port)))
      wait_until_up(port)
      local ok, err = pcall(fn, "http://127.0.0.1:" .. port, dir)
      if not ok then
        error(("%s\nthe server said:\n%s"):format(err, programs.read_file(dir .. "/out")), 0)
      end
    end)
  end)
end

local function has_aiohttp()
  return (os.execute "/usr/bin/python3 -c 'import aiohttp' 2>/dev/null")
end

function T.test_aiohttp()
  if not has_aiohttp() then lu.skip "python3-aiohttp is not installed" end
  beside({ ["server.py"] = AIOHTTP }, "/usr/bin/python3 server.py PORT", ask_all)
end

function T.test_node()
  programs.need "node"
  beside({ ["server.js"] = NODE }, "node server.js PORT", ask_all)
end

-- It reads no chunks, and its connections end with each request.
function T.test_python_s_own_server()
  programs.need "python3"
  beside({ ["server.py"] = PYTHON }, "python3 server.py PORT", function(url)
    ask_all(url, { chunks = true, expect = true })
  end)
end

-- ---- the server of this library ----

local function our_server()
  local app = http.Application { client_max_size = 10 * BIG }
  app:get("/text", function() return "grüße" end)
  app:get("/big", function() return http.Response { body = ("x"):rep(BIG) } end)
  app:get("/chunked", function()
    return http.stream(function(out)
      for i = 0, 99 do out:write(("part %d\n"):format(i)) end
    end)
  end)
  app:get("/redirect", function() return http.redirect "/text" end)
  app:get("/cookies", function(req)
    return http.Response { body = req.cookies.k or "none",
      headers = { ["Set-Cookie"] = http.set_cookie("k", "v", { httponly = true }) } }
  end)
  app:get("/gzip", function()
    return http.Response { text = ("x"):rep(BIG), compress = true }
  end)
  app:route("*", "/echo", function(req)
    local body = req:read()
    return http.Response { body = body, headers = { ["X-Length"] = tostring(#body),
      ["X-Method"] = req.method } }
  end)
  return app
end

function T.test_our_own_server()
  aio.run(function()
    local server <close> = http_testing.TestServer(our_server())
    ask_all("http://127.0.0.1:" .. server.port)
  end)
end

-- ---- nginx ----

local NGINX = [[
daemon off; master_process off; pid nginx.pid; error_log stderr warn;
events { worker_connections 256; }
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f;
  uwsgi_temp_path u; scgi_temp_path s; client_max_body_size 100m;
  server {
    listen 127.0.0.1:PORT; root .; default_type text/plain; charset utf-8;
    location = /redirect { return 302 /text; }
    location = /echo { proxy_pass http://127.0.0.1:BACKEND; proxy_http_version 1.1; }
    location /behind/ { proxy_pass http://127.0.0.1:BACKEND/; proxy_http_version 1.1;
                        proxy_set_header Connection ""; }
  }
}
]]

local function beside_nginx(fn)
  programs.need "nginx"
  aio.run(function()
    local server <close> = http_testing.TestServer(our_server())
    programs.with_files({ ["text"] = "grüße", ["big"] = ("x"):rep(BIG),
      ["nginx.conf"] = NGINX:gsub("BACKEND", server.port) }, function(dir)
      local port = programs.free_port()
      local _ <close> = programs.start(dir,
        ("sh -c 'sed -i s/PORT/%d/ nginx.conf && exec nginx -p . -c nginx.conf'"):format(port))
      wait_until_up(port)
      local ok, err = pcall(fn, "http://127.0.0.1:" .. port)
      if not ok then
        error(("%s\nnginx said:\n%s"):format(err, programs.read_file(dir .. "/out")), 0)
      end
    end)
  end)
end

function T.test_nginx_as_the_origin()
  beside_nginx(function(url)
    local session <close> = http.ClientSession()
    questions.text(session, url)
    lu.assertEquals(#session:get(url .. "/big"):read(), BIG)
    questions.redirect(session, url)
    local res = session:get(url .. "/big", { headers = { Range = "bytes=5-14" } })
    lu.assertEquals(res.status, 206)
    lu.assertEquals(res:read(), ("x"):rep(10))
    lu.assertEquals(session:get(url .. "/none").status, 404)
    lu.assertEquals(session:post(url .. "/text", { data = "x" }).status, 405)
  end)
end

function T.test_nginx_in_front_of_our_server()
  beside_nginx(function(url)
    ask_all(url .. "/behind", { redirect = true })
    local session <close> = http.ClientSession()
    questions.uploads(session, url)
    questions.chunks(session, url)
  end)
end

return T
