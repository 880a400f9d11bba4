-- SPDX-License-Identifier: MIT
-- Bodies that an HTTP client sends: of every kind, watched, interrupted, and answered early.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then return { test_nothing = function() lu.skip "built without http" end } end

local aio = require "aio"
local http = require "aio.http"
local optional = require "aio.optional"
local raw = require "support.raw_http"

local raised, response = raw.raised, raw.response

local T = {}

local function case(name, answer, fn)
  T["test_" .. name] = raw.case(function()
    local server <close> = raw.answering(answer)
    local session <close> = http.ClientSession()
    fn(session, server.url, server)
    lu.assertStrContains(tostring(session.connector), "0 in use")
  end)
end

local function echo(head, body) return response(head.text .. body) end

-- An iterator over the arguments.
local function parts(...)
  local list, i = { ... }, 0
  return function()
    i = i + 1
    return list[i]
  end
end

local function body_of(text) return text:match "\r\n\r\n(.*)$" end

case("a_string", echo, function(session, url)
  local text = session:post(url, { data = "a\0b" }):text()
  lu.assertStrContains(text, "\r\nContent-Length: 3\r\n")
  lu.assertStrContains(text, "\r\nContent-Type: application/octet-stream\r\n")
  lu.assertEquals(body_of(text), "a\0b")
  text = session:get(url, { data = "", headers = { ["content-type"] = "text/x" } }):text()
  lu.assertStrContains(text, "\r\ncontent-type: text/x\r\n")
  lu.assertStrContains(text, "\r\nContent-Length: 0\r\n")
  lu.assertNil(text:find("octet", 1, true))
end)

case("a_long_string", function(_, body) return response(tostring(#body)) end,
  function(session, url, server)
    for _, n in ipairs { 1000, 100000, 300000, 5000000 } do
      lu.assertEquals(session:post(url, { data = ("x"):rep(n) }):text(), tostring(n))
    end
    lu.assertEquals(server.connections, 1)
  end)

case("a_form", echo, function(session, url)
  local text = session:post(url, { form = { { "b", "x y" }, { "a", 1 }, { "b", "&" } } }):text()
  lu.assertStrContains(text, "\r\nContent-Type: application/x-www-form-urlencoded\r\n")
  lu.assertEquals(body_of(text), "b=x+y&a=1&b=%26")
end)


T.test_a_function_is_sent_in_chunks = raw.case(function()
  local server <close> = raw.serve(function(conn)
    for _ = 1, 2 do
      local head = raw.head(conn)
      local _, chunks = raw.body(conn, head)
      conn:write(response(table.concat(chunks, "|")))
    end
  end)
  local session <close> = http.ClientSession()
  lu.assertEquals(session:post(server.url, { data = parts("one", "", "two") }):text(), "one|two")
  local slow = aio.generator(function(yield)
    for i = 1, 3 do
      aio.sleep(1)
      yield("part " .. i)
    end
  end)
  lu.assertEquals(session:post(server.url, { data = slow }):text(), "part 1|part 2|part 3")
  lu.assertEquals(server.connections, 1)
end)

case("a_function_with_a_length", echo, function(session, url)
  local fields = { ["Content-Length"] = "6" }
  local text = session:put(url, { data = parts("abc", "def"), headers = fields }):text()
  lu.assertEquals(body_of(text), "abcdef")
  lu.assertNil(text:find("chunked", 1, true))
  for _, data in ipairs { parts("abc"), parts("abc", "defg") } do
    local err = raised(http.ClientPayloadError, session.put, session, url,
      { data = data, headers = fields })
    lu.assertStrContains(err.message, "than the 6 that were announced")
  end
end)

case("json", function(head, body)
  if head.target == "/" then return response(head.text .. body) end
  return response('{"a":[1,2.5,null,"x"]}', ("Content-Type: %s\r\n"):format(head.target:sub(2)))
end, function(session, url)
  if not optional.has "jansson" then lu.skip "built without jansson" end
  local text = session:post(url, { json = { a = { 1, "x" } } }):text()
  lu.assertStrContains(text, "\r\nContent-Type: application/json\r\n")
  lu.assertEquals(body_of(text), '{"a":[1,"x"]}')
  for _, kind in ipairs { "application/json", "application/json;charset=utf-8",
    "application/problem+json" } do
    lu.assertEquals(session:get(url .. "/" .. kind):json().a[2], 2.5)
  end
  local res = session:get(url .. "/text/html")
  local err = raised(http.ContentTypeError, res.json, res)
  lu.assertStrContains(err.message, "(200 OK) is of type")
  lu.assertEquals(err.status, 200)
  lu.assertEquals(res:json({ content_type = false }).a[4], "x")
  lu.assertEquals(res:json({ content_type = "text/html" }).a[1], 1)
  raised(http.ContentTypeError, res.json, res, { content_type = "text/x" })
  res = session:get(url)
  lu.assertFalse((pcall(res.json, res, { content_type = false })))
end)

case("multipart", echo, function(session, url)
  local form = http.FormData { { "a", "1" }, { "b", 2 } }
  lu.assertEquals(body_of(session:post(url, { data = form }):text()), "a=1&b=2")
  form:add_file("file", "content", 'na"me\r\n.txt')
  local text = session:post(url, { data = form }):text()
  lu.assertStrContains(text, "Content-Type: multipart/form-data; boundary=")
  lu.assertStrContains(text, 'name="file"; filename="na%22me%0D%0A.txt"')
  lu.assertStrContains(text, "\r\n\r\ncontent\r\n")
  lu.assertStrContains(text, "\r\nContent-Length: ")
  text = session:post(url, { multipart = { a = "1" } }):text()
  lu.assertStrContains(text, 'form-data; name="a"\r\n')
  local file <close> = assert(io.tmpfile())
  file:write "from a file"
  file:seek "set"
  text = session:post(url, { multipart = { f = { data = file, filename = "f.bin" } } }):text()
  lu.assertStrContains(text, "from a file")
end)

-- ---- codings ----

case("compress", function(head, body)
  return response(body, ("Content-Encoding: %s\r\n"):format(head["content-encoding"]))
end, function(session, url)
  local coding = require "aio.http.coding"
  for _, name in ipairs(coding.codings()) do
    local data = ("some text "):rep(20000)
    local res = session:post(url, { data = data, compress = name })
    lu.assertEquals(res.headers["content-encoding"], name)
    lu.assertTrue(tonumber(res.headers["content-length"] or 0) < 5000)
    lu.assertTrue(res:read() == data)
    local raw_session <close> = http.ClientSession { auto_decompress = false }
    lu.assertTrue(#raw_session:post(url, { data = data, compress = name }):read() < 5000)
  end
  local ok, err = pcall(session.post, session, url, { data = "x", compress = "lzma" })
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(err), "option 'compress'")
end)

case("a_file", echo, function(session, url)
  local file <close> = assert(io.tmpfile())
  file:write(("0123456789"):rep(20000))
  file:seek("set", 10)
  local text = session:post(url, { data = file }):text()
  lu.assertStrContains(text, "\r\nContent-Length: 199990\r\n")
  lu.assertEquals(#body_of(text), 199990)
  file:close()
  local ok, err = pcall(session.post, session, url, { data = file })
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(err), "the file is closed")
end)

-- The same with a file of aio; what has no length that is known goes in chunks.
case("a_file_of_aio", echo, function(session, url)
  local file <close>, path = aio.fs.mkstemp()
  local _ <close> = aio.defer(aio.fs.remove, path)
  file:write(("0123456789"):rep(20000))
  file:seek("set", 5)
  local last
  local function progress(done, total) last = { done, total } end
  local sent = session:post(url, { data = file, on_progress = progress }):text()
  lu.assertStrContains(sent:lower(), "content-length: 199995")
  lu.assertEquals(last, { 199995, 199995 })
  lu.assertEquals(sent:sub(-5), "56789")
  local status <close> = aio.open "/proc/self/status"
  sent = session:post(url, { data = status }):text()
  lu.assertStrContains(sent:lower(), "transfer-encoding: chunked")
  lu.assertStrContains(sent, "VmPeak")
end)

case("a_pipe", echo, function(session, url)
  local pipe <close> = assert(io.popen "printf 'from a pipe'")
  lu.assertStrContains(session:post(url, { data = pipe }):text(), "from a pipe")
end)

case("what_another_server_sends", echo, function(session, url)
  local first <close> = session:post(url, { data = ("x"):rep(300000) })
  local text = session:post(url, { data = first.content }):text()
  lu.assertTrue(#text > 300000)
end)

-- ---- watching ----

case("progress", echo, function(session, url)
  local seen = {}
  local function note(done, total) seen[#seen + 1] = ("%d/%s"):format(done, total or "?") end
  session:post(url, { data = ("x"):rep(100000), on_progress = note }):read()
  lu.assertEquals(seen, { "65536/100000", "100000/100000" })
  seen = {}
  session:post(url, { data = parts("ab", "c"), on_progress = note }):read()
  lu.assertEquals(seen, { "2/?", "3/?" })
  local ok, err = pcall(session.post, session, url,
    { data = "x", on_progress = function() aio.sleep(1) end })
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(err), "atomic")
end)

-- ---- things that go wrong ----

case("an_error_of_the_function", echo, function(session, url)
  local mine = aio.RuntimeError "mine"
  local err = raised(aio.RuntimeError, session.post, session, url,
    { data = function() error(mine, 0) end })
  lu.assertTrue(err == mine)
  raised(aio.RuntimeError, session.post, session, url, { data = function() return 5 end })
  lu.assertEquals(session:get(url).status, 200)
end)

T.test_a_request_that_is_cancelled_while_it_is_sent = raw.case(function()
  local server <close> = raw.serve(function(conn) conn:read "a" end)
  local session <close> = http.ClientSession()
  local closed = false
  local task = aio.create_task(session.post, session, server.url, { data = function()
    local _ <close> = aio.defer(function() closed = true end)
    aio.sleep(1000)
  end })
  aio.sleep(1)
  task:cancel()
  aio.wait { task }
  lu.assertTrue(task:cancelled())
  lu.assertTrue(closed)
  lu.assertStrContains(tostring(session.connector), "0 in use, 0 idle")
end)

T.test_a_time_limit_while_it_is_sent = raw.case(function()
  local server <close> = raw.serve(function(conn) conn:read "a" end)
  local session <close> = http.ClientSession()
  local function endless()
    aio.sleep(1)
    return "x"
  end
  raised(http.ServerTimeoutError, session.post, session, server.url,
    { data = endless, timeout = 9 })
  -- no answer is expected as long as there is something to send
  raised(http.ServerTimeoutError, session.post, session, server.url,
    { data = endless, timeout = http.Timeout { total = 20, sock_read = 2 } })
  -- a peer that does not read
  local deaf <close> = raw.serve(function(conn)
    conn:set_limits { high = 1 }
    aio.sleep(50)
  end)
  raised(http.ServerTimeoutError, session.post, session, deaf.url,
    { data = function() return ("x"):rep(100000) end, timeout = 9 })
  raised(http.ServerTimeoutError, session.post, session, deaf.url,
    { data = ("x"):rep(50000000), timeout = 9 })
  aio.sleep(50)
end)

-- ---- early answers ----

-- A server that answers when it has seen the head, and does what `after` does.
local function early(name, fields, after, data, fn)
  T["test_" .. name] = raw.case(function()
    local server <close> = raw.serve(function(conn, i)
      local head = raw.head(conn)
      if i > 1 then return conn:write(response "next") end
      if head.method == "GET" then return conn:write(response "get") end
      conn:write(response("too large", fields, "413 Too Large"))
      after(conn)
    end)
    local session <close> = http.ClientSession()
    local res = session:post(server.url, { data = data() })
    lu.assertEquals(res.status, 413)
    lu.assertEquals(res:read(), "too large")
    if fn then fn() end
    lu.assertEquals(session:get(server.url):read(), "next")
    lu.assertStrContains(tostring(session.connector), "0 in use")
  end)
end

local stopped

-- Without end, and notices that it is over.
local function endless()
  stopped = false
  return function()
    local _ <close> = setmetatable({}, { __close = function(_, err) stopped = err ~= nil end })
    aio.sleep(0.01)
    return ("x"):rep(10000)
  end
end

local function text() return ("x"):rep(20000000) end

early("an_early_answer_ends_the_upload", "", function(conn) conn:read(1) end, endless, function()
  aio.sleep(0)
  lu.assertTrue(stopped)
end)
early("an_early_answer_and_a_close", "Connection: close\r\n", function(conn)
  conn:write_eof()
  aio.timeout(1, conn.read, conn, 1)
end, endless)
early("an_early_answer_to_a_long_string", "", function(conn) conn:read(1) end, text)
early("an_early_answer_and_a_close_to_a_long_string", "Connection: close\r\n",
  function(conn) conn:write_eof() end, text)

-- What was not sent would stand in front of the next request.
T.test_a_connection_with_something_unsent_is_not_used_again = raw.case(function()
  local done = aio.Event()
  local server <close> = raw.serve(function(conn, i)
    raw.head(conn)
    conn:write(response("answer " .. i))
    if i == 1 then done:wait() end -- and reads nothing more
  end)
  local session <close> = http.ClientSession()
  lu.assertEquals(session:post(server.url, { data = text() }):read(), "answer 1")
  lu.assertEquals(session:post(server.url, { timeout = 20 }):read(), "answer 2")
  done:set()
end)

T.test_a_server_that_closes_while_it_is_sent = raw.case(function()
  local server <close> = raw.serve(function(conn)
    raw.head(conn)
    conn:abort()
  end)
  local session <close> = http.ClientSession()
  for _, data in ipairs { endless, text } do
    raised(http.ClientConnectionError, session.post, session, server.url, { data = data() })
  end
  lu.assertStrContains(tostring(session.connector), "0 in use, 0 idle")
end)

T.test_both_directions_at_once = raw.case(function()
  local server <close> = raw.serve(function(conn)
    raw.head(conn)
    conn:write "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    while true do
      local n = tonumber(conn:readuntil("\r\n"):match "^%x+", 16)
      local data = conn:readexactly(n + 2)
      conn:write(("%x\r\n"):format(n), data)
      if n == 0 then return end
    end
  end)
  local session <close> = http.ClientSession()
  local queue = aio.Queue()
  queue:put "one"
  local next_item, items = queue:items()
  local res <close> = session:post(server.url, { data = function() return next_item(items) end })
  local content = res.content
  lu.assertEquals(content:readany(), "one")
  queue:put "two"
  lu.assertEquals(content:readany(), "two")
  queue:shutdown()
  lu.assertEquals(content:read "a", "")
end)

-- ---- Expect: 100-continue ----

local function expecting(name, serve, fn)
  T["test_" .. name] = raw.case(function()
    local seen = {}
    local server <close> = raw.serve(function(conn, i)
      for head in raw.head, conn do
        seen[#seen + 1] = head.expect or "nothing"
        serve(conn, head, i)
      end
    end)
    local session <close> = http.ClientSession()
    fn(session, server.url, seen)
    lu.assertStrContains(tostring(session.connector), "0 in use")
  end)
end

expecting("a_server_that_says_go_on", function(conn, head)
  conn:write "HTTP/1.1 100 Continue\r\n\r\n"
  conn:write(response("got " .. raw.body(conn, head)))
end, function(session, url, seen)
  lu.assertEquals(session:post(url, { data = "it", expect100 = true }):text(), "got it")
  lu.assertEquals(session:post(url, { data = parts("i", "t"), expect100 = true }):text(), "got it")
  session:get(url, { expect100 = true })
  lu.assertEquals(seen, { "100-continue", "100-continue", "nothing" })
end)

expecting("a_server_that_says_nothing", function(conn, head)
  conn:write(response("got " .. raw.body(conn, head)))
end, function(session, url)
  lu.assertEquals(session:post(url, { data = "it", expect100 = true }):text(), "got it")
end)

expecting("a_server_that_refuses", function(conn)
  conn:write(response("no", "", "417 No"))
  lu.assertNil(conn:read(1)) -- the body is not sent, and the connection not used again
end, function(session, url)
  local res = session:post(url, { data = function() error "not to be asked" end,
    expect100 = true })
  lu.assertEquals(res.status, 417)
  lu.assertEquals(res:read(), "no")
end)

return T
