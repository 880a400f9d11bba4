-- SPDX-License-Identifier: MIT
-- Forms: sent by a client, read by a server, both kinds, and what is refused with which status.

local aio = require "aio"
local env = require "support.env"
local lu = require "luaunit"

local T = { TestServer = {}, TestFormData = {} }
if not env.has_http() then
  function T.test_http() lu.skip("this build has no library for HTTP") end
  T.TestServer, T.TestFormData = nil, nil
  return T
end

local http = require "aio.http"
local testing = require "aio.http.testing"

-- Runs fn(server): /form answers with the fields as text, /parts with the parts.
local function serve(fn, opts)
  aio.run(function()
    local app = http.Application(opts)
    app:post("/form", function(req)
      local out = {}
      for name, value in pairs(req:form()) do
        out[#out + 1] = name .. "=" .. (type(value) == "string" and value
          or ("%s|%s|%d|%s"):format(value.filename, value.content_type, value.size, value:read()))
      end
      return table.concat(out, "\n")
    end)
    app:get("/query", function(req) return tostring(req.query) end)
    app:post("/parts", function(req)
      local out = {}
      for part in req:multipart():parts() do
        out[#out + 1] = ("%s:%s"):format(part.name or "?", part:read(100))
      end
      return table.concat(out, "\n")
    end)
    local server <close> = testing.TestServer(app)
    fn(server)
  end)
end

local function post(server, path, kind, body)
  local raw <close> = server:connect()
  local head = kind and ("Content-Type: %s\r\n"):format(kind) or ""
  local res = raw:ask(("POST %s HTTP/1.1\r\nHost: h\r\n%sContent-Length: %d\r\n\r\n%s"):format(path,
    head, #body, body))
  return res.status, res.body
end

local URLENCODED = "application/x-www-form-urlencoded"
local MULTIPART = "multipart/form-data; boundary=b"

function T.TestServer.test_urlencoded()
  serve(function(server)
    local status, body = post(server, "/form", URLENCODED .. "; charset=utf-8",
      "a=1&b=x+y%26&a=2&c")
    lu.assertEquals({ status, body }, { 200, "a=1\nb=x y&\na=2\nc=" })
    lu.assertEquals({ post(server, "/form", nil, "") }, { 200, "" })
  end)
end

local function part(head, body)
  return ("--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n"):format(head, body)
end

function T.TestServer.test_multipart()
  local body = part("name=a", "1") .. part('name="f"; filename="/tmp/x.txt"', "file\r\nfile")
    .. part("name=a", "\195\164") .. part("name=f; filename=\"y\"\r\nContent-Type: a/b", "")
    .. "--b--\r\n"
  serve(function(server)
    lu.assertEquals({ post(server, "/form", MULTIPART, body) },
      { 200, "a=1\nf=x.txt|text/plain|10|file\r\nfile\na=\195\164\nf=y|a/b|0|" })
    lu.assertEquals({ post(server, "/parts", MULTIPART, body) },
      { 200, "a:1\nf:file\r\nfile\na:\195\164\nf:" })
  end)
end

local REFUSED = {
  { 415, "/form", "text/plain", "a=1" }, { 415, "/form", nil, "a=1" },
  { 400, "/form", URLENCODED, ("a&"):rep(1001) },
  { 413, "/form", URLENCODED, ("a"):rep(4001) },
  { 400, "/form", MULTIPART, "" }, { 400, "/form", MULTIPART, "--b\r\n" },
  { 400, "/form", "multipart/form-data", "--b--" },
  { 400, "/form", MULTIPART, part("x=y", "1") .. "--b--" },
  { 400, "/form", MULTIPART, part("name=a", "\255") .. "--b--" },
  { 400, "/form", MULTIPART, part("name=\"a\0\"", "x") .. "--b--" },
  { 400, "/form", MULTIPART, part("name=\"a\rb\"", "x") .. "--b--" },
  { 400, "/form", MULTIPART, part("name=\"a\nb\"", "x") .. "--b--" },
  { 413, "/form", MULTIPART, part("name=a", ("x"):rep(2400)) .. part("name=a",
    ("x"):rep(2400)) .. "--b--" },
  { 413, "/form", MULTIPART, part("name=f; filename=x", ("x"):rep(4100)) .. "--b--" },
  { 413, "/parts", MULTIPART, part("name=a", ("x"):rep(101)) .. "--b--" },
  { 415, "/parts", "text/plain", "x" }, { 400, "/parts", MULTIPART, part("name=a", "x") },
  { 400, "/parts", MULTIPART, ("--b\r\n\r\n\r\n"):rep(1001) .. "--b--" },
  { 400, "/parts", MULTIPART, "--b\r\nX: " .. ("y"):rep(17000) },
}

-- Each refusal, and after it the next good form over a new connection is served.
function T.TestServer.test_refused()
  serve(function(server)
    for i, case in ipairs(REFUSED) do
      local status, body = post(server, table.unpack(case, 2, 4))
      lu.assertEquals(status, case[1], i .. " " .. body)
      lu.assertTrue(#body < 200)
      lu.assertEquals({ post(server, "/form", URLENCODED, "a=1") }, { 200, "a=1" })
    end
  end, { client_max_size = 4000 })
end

function T.TestServer.test_query()
  serve(function(server)
    local function get(query)
      local raw <close> = server:connect()
      local res = raw:ask(("GET /query?%s HTTP/1.1\r\nHost: h\r\n\r\n"):format(query))
      return res.status, res.body
    end
    lu.assertEquals({ get "a=1&b=%00+&a=2" }, { 200, "MultiDict{a=1, b=\0 , a=2}" })
    lu.assertEquals({ get(("a&"):rep(1001)) }, { 400, "more than 1000 fields" })
    lu.assertEquals({ get "a=1" }, { 200, "MultiDict{a=1}" })
  end)
end

-- ---- what is sent ----

local function sent(form, multipart)
  local body = form:_as_body(multipart)
  local parts = {}
  for chunk in require("aio.http.body").chunks(body) do parts[#parts + 1] = chunk end
  local text = table.concat(parts)
  if body.size then lu.assertEquals(#text, body.size) end
  return text, body
end

-- The parts of a multipart form: name, file name, type, bytes.
local function parts_of(form)
  local text, body = sent(form, true)
  local content = require("aio.http.content").new((function()
    local given = false
    return function()
      if given then return nil end
      given = true
      return text
    end
  end)())
  local found = {}
  for p in http.MultipartReader({ ["Content-Type"] = body.type }, content):parts() do
    found[#found + 1] = { p.name, p.filename or false, p.headers["Content-Type"] or false,
      p:read() }
  end
  return found
end

function T.TestFormData.test_urlencoded()
  local form = http.FormData { b = "x y", a = { 1, 2 } }
  form:add_field("c", "&")
  local text, body = sent(form)
  lu.assertEquals(text, "a=1&a=2&b=x+y&c=%26")
  lu.assertEquals({ body.type, body.again }, { URLENCODED, true })
  lu.assertEquals(sent(http.FormData { { "b", 1 }, { "a", 2 } }), "b=1&a=2")
  lu.assertEquals(sent(http.FormData(http.parse_query "b=1&a=2&b=3")), "b=1&a=2&b=3")
  lu.assertEquals(sent(http.FormData()), "")
end

function T.TestFormData.test_multipart()
  local form = http.FormData { a = 1 }
  form:add_file("f", "bytes", "x.png")
  form:add_file("g", "bytes", "y", "a/b")
  form:add_field("h", "1", { content_type = "application/json" })
  lu.assertStrMatches(select(2, sent(form)).type, "multipart/form%-data; boundary=%x+")
  lu.assertEquals(parts_of(form), {
    { "a", false, false, "1" }, { "f", "x.png", "image/png", "bytes" },
    { "g", "y", "a/b", "bytes" },
    { "h", false, "application/json", "1" },
  })
  lu.assertEquals(parts_of(http.FormData { f = { data = "x", filename = "\195\164.txt" } }),
    { { "f", "\195\164.txt", "text/plain; charset=utf-8", "x" } })
end

function T.TestFormData.test_refused()
  local form = http.FormData()
  lu.assertErrorMsgContains("name expected", form.add_field, form, 1, "x")
  lu.assertErrorMsgContains("value expected", form.add_field, form, "x")
  lu.assertErrorMsgContains("name of the file expected", form.add_file, form, "x", "y")
  lu.assertErrorMsgContains("unknown option", form.add_field, form, "x", "y", { z = 1 })
  for _, fields in ipairs {
    { f = { data = "x", file_name = "y" } }, { { "f", { data = "x", file_name = "y" } } },
    { f = { "a", { data = "x", file_name = "y" } } },
  } do
    lu.assertErrorMsgContains("#1 to 'FormData' (unknown option 'file_name' (there is: "
      .. "content_type, data, filename, headers", http.FormData, fields)
  end
  lu.assertErrorMsgContains("table of fields expected", http.FormData, 1)
  lu.assertErrorMsgContains("item 1: { name, value } expected", http.FormData, { "a" })
  form:add_field("x", true)
  lu.assertErrorMsgContains("expected, got boolean", form._as_body, form)
end

-- By the client of this library, through a server: fields, a file that is streamed, and bytes that
-- would break out of their part if they could.
function T.TestFormData.test_through_a_server()
  local hostile = "\r\n--b--\r\nContent-Disposition: form-data; name=\"evil\"\r\n\r\n"
  local path = os.tmpname()
  local file = assert(io.open(path, "w+b"))
  file:write(hostile)
  file:seek "set"
  serve(function(server)
    local form = http.FormData { a = hostile }
    form:add_file("f", file, "x\"\r\n.txt")
    local session <close> = http.ClientSession()
    local res <close> = session:post(server:make_url "/form", { data = form })
    lu.assertEquals(res.status, 200)
    lu.assertEquals(res:text(), ("a=%s\nf=x%%22%%0D%%0A.txt|text/plain|%d|%s"):format(hostile,
      #hostile,
      hostile))
  end)
  file:close()
  os.remove(path)
end

-- Each way to say the fields, as form and as query.
function T.TestFormData.test_fields_of_every_kind()
  aio.run(function()
    local app = http.Application()
    app:post("/", function(req)
      return tostring(req.query) .. tostring(req:form())
    end)
    local server <close> = testing.TestServer(app)
    local session <close> = http.ClientSession()
    for _, fields in ipairs { { a = { 1, 2 }, b = "x y" },
      { { "a", 1 }, { "a", 2 }, { "b", "x y" } }, http.parse_query "a=1&a=2&b=x+y",
      http.MultiDict { a = { 1, 2 }, b = "x y" } } do
      local expected = "MultiDict{a=1, a=2, b=x y}"
      lu.assertEquals(session:post(server:make_url "/", { form = fields, params = fields }):text(),
        expected .. expected)
      lu.assertEquals(session:post(server:make_url "/", { multipart = fields, params = fields })
        :text(), expected .. expected)
    end
  end)
end

-- ---- other programs ----

local function has(program) return os.execute("command -v " .. program .. " >/dev/null 2>&1") end

-- What curl sends, with -F and with --data-urlencode.
function T.TestServer.test_curl()
  if not has "curl" then return lu.skip "no curl" end
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write "--b\r\n\0\255 end"
  file:close()
  local name = path:match "[^/]*$"
  serve(function(server)
    local function curl(...)
      local words = table.pack("-sS", "--noproxy", "*", server:make_url "/form", ...)
      words[words.n + 1] = { stdout = aio.PIPE }
      local p <close> = aio.create_subprocess_exec("curl", table.unpack(words, 1, words.n + 1))
      return (p:communicate())
    end
    lu.assertEquals(curl("-F", "a=x y", "-F", "f=@" .. path .. ";type=a/b", "-F", "a=\195\164"),
      ("a=x y\nf=%s|a/b|11|--b\r\n\0\255 end\na=\195\164"):format(name))
    lu.assertEquals(curl("--data-urlencode", "a=x y&\195\164", "-d", "b=1"), "a=x y&\195\164\nb=1")
  end)
  os.remove(path)
end

local PYTHON = [[
import email, sys
from email import policy
message = email.message_from_binary_file(sys.stdin.buffer, policy=policy.HTTP)
for part in message.iter_parts():
    fields = dict(part["Content-Disposition"].params)
    print(fields["name"], fields.get("filename"), part.get_content_type(),
          part.get_payload(decode=True))
]]

-- What Python's parser makes of what is sent.
function T.TestFormData.test_python()
  if not has "python3" then return lu.skip "no Python" end
  local form = http.FormData { a = "x y" }
  form:add_file("f", "\0\n--b \n", "x y.png")
  local text, body = sent(form)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write("Content-Type: ", body.type, "\r\n\r\n", text)
  file:close()
  local pipe = io.popen(("python3 -c %s < %s"):format(env.quote(PYTHON), path))
  lu.assertEquals(pipe:read "a", "a None text/plain b'x y'\n"
    .. "f x y.png image/png b'\\x00\\n--b \\n'\n")
  pipe:close()
  os.remove(path)
end

return T
