-- SPDX-License-Identifier: MIT
-- Every server among the examples, and what only the tests have: how to start it, and what an
-- honest client sees of it. tests/test_hostile.lua compares the list with examples/.

local aio = require "aio"
local identity = require "fuzz.identity"

local HOST = "127.0.0.1"
local MIB = 1024 * 1024

local function expect(got, want)
  if got ~= want then
    error(("an honest client got %q, not %q"):format(tostring(got):sub(1, 80), want), 0)
  end
end

-- One question after the other on one connection; `answer` makes what is to come back.
local function asks(answer, opts)
  return function(port, answered)
    local conn <close> = aio.open_connection(HOST, port, opts and opts() or {})
    for n = 1, 20 do
      local line = "question " .. n
      conn:write(line, "\n")
      expect(conn:read("l"), answer(line))
      answered()
    end
  end
end

local function same(line) return line end

-- The same where the number of the process stands before each answer.
local function asks_a_process(port, answered)
  local conn <close> = aio.open_connection(HOST, port)
  for n = 1, 20 do
    conn:write("question ", n, "\n")
    expect(conn:read("l"):match "^%d+ (.*)$", "question " .. n)
    answered()
  end
end

-- Two guests: what one says, the other hears, among all the others.
local function chats(port, answered)
  local one <close> = aio.open_connection(HOST, port)
  local two <close> = aio.open_connection(HOST, port)
  local name = one:read("l"):match("^you are (guest %d+)$")
  local reader = aio.create_task(function()
    while one:read(65536) do end
  end)
  two:read("l")
  for n = 1, 20 do
    local line = "word " .. n
    one:write(line, "\n")
    repeat
      local heard = two:read("l")
      if not heard then error("an honest guest was thrown out", 0) end
    until heard == name .. ": " .. line
    answered()
  end
  one:abort()
  reader:await()
end

-- A datagram may be lost: then the question is asked again, but not for ever.
local function resolves(port, answered)
  local d <close> = aio.open_datagram { remote_addr = { HOST, port } }
  local packet = (">I2I2I2I2I2I2"):pack(4711, 0x0100, 1, 0, 0, 0) .. "\3www\3lua\7example\0\0\1\0\1"
  for _ = 1, 50 do
    d:send(packet)
    local ok, reply = aio.catch(aio.TimeoutError, aio.timeout, 0.2, d.recv, d)
    if ok then
      expect(reply:sub(-4), "\192\0\2\80")
      return answered()
    end
  end
  error("no answer to 50 questions", 0)
end

-- The adder answers a word with an error, a number with the sum.
local function adds(port, answered)
  local conn <close> = aio.open_connection(HOST, port)
  local sum = 0
  for n = 1, 20 do
    conn:write(n, "\n")
    sum = sum + n
    expect(conn:read("l"), tostring(sum))
    answered()
  end
end

local function trusting() return { ssl = aio.ssl_context { verify = false } } end

local function echo(conn)
  aio.catch(aio.OSError, function()
    for text in conn:lines(65536) do conn:write(text) end
  end)
end

-- What stands behind the proxy: its site, and what takes it away again.
local function behind_the_proxy()
  local backend = aio.start_server(echo, HOST, 0)
  local pem = os.tmpname()
  local file <close> = assert(io.open(pem, "wb"))
  assert(file:write(identity.cert, identity.key))
  return ("localhost=%s=%s:%d"):format(pem, HOST, backend.port), aio.defer(function()
    os.remove(pem)
    backend:close()
    backend:abort_clients()
    backend:wait_closed()
  end)
end

-- A path where nothing is, and what takes away what has come there.
local function free_path()
  local path = os.tmpname()
  os.remove(path)
  return path, aio.defer(os.remove, path)
end

-- Adds a note, finds it, and takes it away again.
local function takes_notes(port, answered)
  local conn <close> = aio.open_connection(HOST, port)
  local function ask(line, body)
    conn:write(line, " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ",
      #(body or ""), "\r\n\r\n", body or "")
    local head = conn:readuntil "\r\n\r\n"
    answered()
    local length = tonumber(head:match "Content%-Length: (%d+)" or 0)
    return head:match "^HTTP/1.1 (%d+)", conn:readexactly(length)
  end
  for n = 1, 20 do
    local status, note = ask("POST /api/notes", ('{"text": "note %d"}'):format(n))
    expect(status, "201")
    local path = "/api/notes/" .. note:match '"id":(%d+)'
    local _, found = ask("GET " .. path)
    expect(found, note)
    expect(ask("DELETE " .. path), "204")
  end
end

-- The proxy's own backend counts what it gets.
local function passes_on(port, answered)
  local conn <close> = aio.open_connection(HOST, port)
  for n = 1, 20 do
    conn:write("POST /n", n, " HTTP/1.1\r\nHost: x\r\nContent-Length: ", n, "\r\n\r\n",
      ("y"):rep(n))
    local head = conn:readuntil "\r\n\r\n"
    expect(head:match "^HTTP/1.1 (%d+)", "200")
    expect(conn:readexactly(tonumber(head:match "Content%-Length: (%d+)")),
      ("POST /n%d for x, %d bytes\n"):format(n, n))
    answered()
  end
end

-- Everybody is greeted by name.
local function greets(port, answered)
  local conn <close> = aio.open_connection(HOST, port)
  for n = 1, 20 do
    conn:write("GET /hello/n", n, " HTTP/1.1\r\nHost: x\r\n\r\n")
    expect(conn:readuntil("\r\n\r\n"):match "^HTTP/1.1 (%d+)", "200")
    expect(conn:readuntil "\n", ("Hello, n%d!\n"):format(n))
    answered()
  end
end

-- Two guests of the chat in the browser.
local function chats_by_websocket(port, answered)
  local session <close> = require("aio.http").ClientSession()
  local url = ("http://%s:%d/chat"):format(HOST, port)
  local one <close> = session:ws_connect(url)
  local two <close> = session:ws_connect(url)
  for n = 1, 20 do
    local text = ("word %d of %d"):format(n, port)
    one:send(text)
    repeat
      local message = two:receive()
      if not message then error("an honest guest was thrown out", 0) end
    until message.data:find(text, 1, true)
    answered()
  end
end

-- program: it gets the port 0, takes a free one and prints "listening on 127.0.0.1:PORT",
-- or a line with "http://127.0.0.1:PORT". kind:
-- which attacks it gets. healthy(port, answered): one round of an honest client. memory: bytes
-- above what it had at its start. exit: with what Ctrl-C ends it, when that is not 130. beside():
-- makes what it needs: its second argument, and something to close.
return {
  { program = "examples/echo_server.lua", kind = "tcp", healthy = asks(same), memory = 64 * MIB },
  { program = "examples/chat_server.lua", kind = "tcp", healthy = chats, memory = 400 * MIB },
  { program = "examples/graceful_shutdown.lua", kind = "tcp", memory = 64 * MIB, exit = 0,
    healthy = asks(function(line) return "you said: " .. line end) },
  { program = "examples/handover.lua", kind = "tcp", beside = free_path,
    healthy = asks_a_process, memory = 64 * MIB },
  { program = "examples/line_protocol.lua", kind = "tcp", healthy = adds, memory = 64 * MIB },
  { program = "examples/udp_dns.lua", kind = "udp", healthy = resolves, memory = 64 * MIB },
  { program = "examples/hello_http.lua", kind = "http", healthy = greets, memory = 128 * MIB,
    exit = 0 },
  { program = "examples/chat_websocket.lua", kind = "http", healthy = chats_by_websocket,
    memory = 128 * MIB, exit = 0 },
  { program = "examples/service.lua", kind = "http", healthy = takes_notes, memory = 128 * MIB,
    exit = 0 },
  { program = "examples/reverse_proxy.lua", kind = "http", healthy = passes_on,
    memory = 256 * MIB, exit = 0 },
  { program = "tests/hostile/tls_echo.lua", kind = "tls", healthy = asks(same, trusting),
    memory = 128 * MIB },
  { program = "examples/tls_proxy.lua", kind = "tls", healthy = asks(same, trusting),
    memory = 256 * MIB, beside = behind_the_proxy },
}
