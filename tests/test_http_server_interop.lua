-- SPDX-License-Identifier: MIT
-- Clients of others: curl, Python's http.client, and nginx as a proxy in front. Those that are not
-- installed are left out.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local support = require "support.http"

local T = {}

local BIG = ("0123456789abcdef"):rep(20000)

local function installed(program)
  local found = os.execute("command -v " .. program .. " >/dev/null 2>&1")
  if not found then lu.skip(program .. " is not installed") end
end

local function build(app)
  app:get("/", function() return "hello\n" end)
  app:get("/big", function() return http.stream(function(out) out:write(BIG) end) end)
  app:route("*", "/echo", function(req)
    return ("%s %d"):format(req.method, #req:read())
  end)
  app:get("/form", function(req)
    return ("%s %s %s"):format(req.remote, req.scheme, req.host)
  end)
end

-- What a program prints, whole.
local function output(...)
  local child <close> = aio.create_subprocess_exec(...)
  local out = child:communicate()
  lu.assertEquals(child.returncode, 0, table.concat({ ... }, " ", 1, select("#", ...) - 1))
  return out
end

local function curl(server, path, ...)
  local words = { "curl", "-sS", "--max-time", "20", ... }
  words[#words + 1] = server:make_url(path)
  words[#words + 1] = { stdout = aio.PIPE }
  return output(table.unpack(words))
end

function T.test_curl()
  installed "curl"
  support.serve(build, function(server)
    lu.assertEquals(curl(server, "/"), "hello\n")
    lu.assertEquals(curl(server, "/", "--http1.0"), "hello\n")
    lu.assertStrContains(curl(server, "/", "-I"), "Content-Length: 6\r\n")
    lu.assertEquals(curl(server, "/big"), BIG)
    lu.assertEquals(curl(server, "/big", "--compressed"), BIG)
    local path = os.tmpname()
    local _ <close> = aio.defer(os.remove, path)
    aio.fs.write(path, BIG)
    lu.assertEquals(curl(server, "/echo", "--data-binary", "@" .. path), "POST " .. #BIG)
    lu.assertEquals(curl(server, "/echo", "-T", path, "-H", "Expect: 100-continue"),
      "PUT " .. #BIG)
    lu.assertEquals(curl(server, "/echo", "-T", path, "-H", "Transfer-Encoding: chunked"),
      "PUT " .. #BIG)
    lu.assertStrContains(curl(server, "/none", "-i"), "404 Not Found")
    -- two requests over one connection
    lu.assertEquals(curl(server, "/", server:make_url "/"), "hello\nhello\n")
  end)
end

function T.test_pythons_http_client()
  installed "python3"
  support.serve(build, function(server)
    local code = ([[
import http.client
c = http.client.HTTPConnection("127.0.0.1", %d, timeout=20)
for _ in range(3):
    c.request("GET", "/"); print(c.getresponse().read().decode(), end="")
c.request("POST", "/echo", body=iter([b"abc", b"defg"]), encode_chunked=True,
          headers={"Transfer-Encoding": "chunked"})
print(c.getresponse().read().decode())
c.request("GET", "/big"); print(len(c.getresponse().read()))
c.request("HEAD", "/"); r = c.getresponse()
print(r.status, r.getheader("Content-Length"), r.read())
]]):format(server.port)
    lu.assertEquals(output("python3", "-c", code, { stdout = aio.PIPE }),
      "hello\nhello\nhello\nPOST 7\n" .. #BIG .. "\n200 6 b''\n")
  end)
end

local CONF = [[
daemon off; master_process off; pid nginx.pid; error_log stderr error;
events {}
http {
  access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f;
  uwsgi_temp_path u; scgi_temp_path s;
  upstream aio { server 127.0.0.1:%d; keepalive 4; }
  server {
    listen unix:%s/front.sock;
    location / {
      proxy_pass http://aio; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host outer.test; proxy_set_header X-Forwarded-For 9.8.7.6;
      proxy_set_header X-Forwarded-Proto https;
    }
  }
}
]]

function T.test_nginx_in_front()
  installed "nginx"
  support.serve(build, function(server)
    local dir = aio.fs.mkdtemp()
    local _ <close> = aio.defer(aio.fs.remove, dir, { recursive = true })
    aio.fs.write(dir .. "/nginx.conf", CONF:format(server.port, dir))
    local nginx <close> = aio.create_subprocess_exec("nginx", "-p", dir, "-c", "nginx.conf",
      { stderr = aio.DEVNULL })
    local ok, front
    repeat
      aio.sleep(0.02)
      ok, front = pcall(aio.open_unix_connection, dir .. "/front.sock")
    until ok
    local raw <close> = require("aio.http.testing").raw(front)
    for _ = 1, 5 do
      lu.assertEquals(raw:ask(support.get "/form").body, "9.8.7.6 https outer.test")
    end
    lu.assertEquals(raw:ask(support.get "/big").body, BIG)
    lu.assertEquals(raw:ask(support.post("/echo", BIG)).body, "POST " .. #BIG)
    nginx:terminate()
    nginx:wait()
  end, { forwarded = { "127.0.0.1" } })
end

return T
