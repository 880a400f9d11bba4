-- SPDX-License-Identifier: MIT
-- Runs every program of examples/ in a process of its own and compares what it prints with the
-- comment at its end; talks to the servers among them and ends them with Ctrl-C.
local aio = require "aio"
local env = require "support.env"
local lu = require "luaunit"

local EXAMPLES = env.root .. "/examples/"
local NOTES = "asyncio_notes/"
local TRIES = 200000 -- lines that a flood sends at most before a slow reader must be gone
local AHEAD = 256 -- lines that a flood is at most ahead of those who read

local TestExamples = { elsewhere = true }

-- What stands behind "-- prints:" at the end of a program.
local function expected(script)
  local path, lines = EXAMPLES .. script, nil
  for line in io.lines(path) do
    if lines then lines[#lines + 1] = line:gsub("^%-%- ?", "") end
    if line == "-- prints:" then lines = {} end
  end
  return table.concat(assert(lines, path .. " does not say what it prints"), "\n") .. "\n"
end

-- Dates and times of day differ from run to run.
local function masked(text)
  return (text:gsub("%d%d:%d%d:%d%d", "<time>"):gsub("%d%d%d%d%-%d%d%-%d%d", "<date>"))
end

-- Starts a program with arguments for the shell; standard error goes where its output goes.
-- Its first line is its process id.
local function start(script, ...)
  local words = table.concat({ env.quote(EXAMPLES .. script), ... }, " ")
  local pipe = assert(io.popen("exec 2>&1; echo $$; exec env " .. env.command(words)))
  return { pipe = pipe, pid = pipe:read("n", "l") }
end

-- The rest of what a program prints, and how it ended: "exit" or "signal", and the number.
local function finish(program)
  local text = program.pipe:read("a")
  local _, how, code = program.pipe:close()
  return text, how, code
end

local function interrupt(program)
  assert(os.execute("kill -INT " .. program.pid))
end

-- Starts a server on a free port and gives it to fn with that port; ends it also after an error.
local function with_server(fn, script, ...)
  local server = start(script, 0, ...)
  local port = server.pipe:read("l"):match("^listening on 127%.0%.0%.1:(%d+)$")
  local ok, err = pcall(fn, assert(tonumber(port), "no port from " .. script), server)
  if not ok then
    interrupt(server)
    finish(server)
    error(err, 0)
  end
end

local function check(script)
  local text, how, code = finish(start(script))
  lu.assertEquals(text, expected(script))
  lu.assertEquals({ how, code }, { "exit", 0 })
end

-- All that a program prints that has a terminal.
local function with_terminal(script)
  local host = env.host
  lu.skipIf(not host, "needs the test interpreter")
  local ok, master, slave = pcall(host.pty, 80, 24)
  lu.skipIf(not ok, "no pseudo terminals here (is /dev/pts mounted?)")
  return aio.run(function()
    local p = aio.create_subprocess_exec("sh", "-c", "exec env "
      .. env.command(env.quote(EXAMPLES .. script)), { stdout = slave, stderr = slave })
    host.close(slave)
    local terminal <close> = aio.connect_pipe(master)
    local text = terminal:read "a"
    lu.assertEquals(p:wait(), 0)
    return text
  end)
end

local function ask(conn, line)
  conn:write(line, "\n")
  return conn:read("l")
end

-- All at the same time, since some of them sleep for seconds.
function TestExamples.test_asyncio_notes()
  local running = {}
  for i, path in ipairs(env.glob("examples/" .. NOTES .. "*.lua")) do
    local script = NOTES .. path:match("[^/]*$")
    running[i] = { script = script, program = start(script) }
  end
  lu.assertTrue(#running >= 18)
  for _, one in ipairs(running) do one.result = table.pack(finish(one.program)) end
  for _, one in ipairs(running) do
    local text, how, code = table.unpack(one.result)
    lu.assertEquals({ one.script, masked(text) }, { one.script, masked(expected(one.script)) })
    lu.assertEquals({ one.script, how, code }, { one.script, "exit", 0 })
  end
end

-- Seconds between the times of day in the first and the last line, as the clock shows them.
local function seconds_between(text)
  local h1, m1, s1 = text:match("^started at (%d+):(%d+):(%d+)\n")
  local h2, m2, s2 = text:match("finished at (%d+):(%d+):(%d+)\n$")
  return ((h2 - h1) * 3600 + (m2 - m1) * 60 + (s2 - s1)) % 86400
end

-- One after the other takes the sum of the sleeps, beside each other the longest. A busy machine
-- can hold the second one up, but not each time.
function TestExamples.test_say_after_takes_three_and_two_seconds()
  local shorter, longer
  for _ = 1, 5 do
    local one = start(NOTES .. "03_say_after.lua")
    local two = start(NOTES .. "04_create_task.lua")
    shorter, longer = seconds_between((finish(two))), seconds_between((finish(one)))
    lu.assertTrue(longer >= 3, longer)
    lu.assertTrue(shorter >= 2, shorter)
    if shorter <= longer then break end
  end
  lu.assertTrue(shorter <= longer, shorter)
end

-- A loop made by hand also works after `run` has had one and closed it.
function TestExamples.test_event_loop_after_run()
  local chunk = "-e " .. env.quote("require('aio').run(function() end)")
  local script = env.quote(EXAMPLES .. NOTES .. "02_event_loop.lua")
  local pipe = io.popen(env.command(chunk .. " " .. script .. " 2>&1"))
  lu.assertEquals(pipe:read("a"), "HelloWorld!\n")
  lu.assertTrue((pipe:close()))
end

function TestExamples.test_tour()
  check("tour.lua")
end

function TestExamples.test_https_fetch()
  if not env.has_tls() then lu.skip("this build has no library for TLS") end
  check("https_fetch.lua")
end

-- The page at the local openssl command, by the same program.
function TestExamples.test_https_fetch_from_another_server()
  if not env.has_tls() then lu.skip("this build has no library for TLS") end
  local programs, tls = require "support.programs", require "support.tls"
  programs.with_files({ page = "HTTP/1.0 200 OK\r\n\r\na page\n" }, function(dir)
    aio.run(function()
      local port = programs.free_port()
      local _ <close> = programs.start(dir, ("openssl s_server -accept 127.0.0.1:%d -HTTP "
        .. "-cert server.pem -key server_key.pem"):format(port))
      programs.connect_when_up(port, tls.client()):close()
      local pipe = io.popen(("SSL_CERT_FILE=%s/ca.pem %s 2>&1"):format(dir, env.command(
        ("%s localhost /page %d"):format(env.quote(EXAMPLES .. "https_fetch.lua"), port))))
      lu.assertEquals(pipe:read("a"), "TLSv1.3\tserver\nHTTP/1.0 200 OK\na page\n")
      lu.assertTrue((pipe:close()))
    end)
  end)
end

-- Reads what a program prints up to a line with this text; clients that end without a word have
-- lines of their own.
local function until_said(program, text)
  for line in program.pipe:lines() do
    if line:find(text, 1, true) then return end
  end
  lu.fail("it did not say: " .. text)
end

-- Two names, two certificates, two backends: aio and Python as clients.
function TestExamples.test_tls_proxy()
  if not env.has_tls() then lu.skip("this build has no library for TLS") end
  local programs, tls = require "support.programs", require "support.tls"
  programs.need "python3"
  local one = tls.certs.server .. tls.certs.server_key
  local two = tls.certs.elsewhere .. tls.certs.elsewhere_key
  local client = [[
import socket, ssl, sys
context = ssl.create_default_context(cafile="ca.pem")
for name in sys.argv[2:]:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
        with context.wrap_socket(plain, server_hostname=name) as tls:
            tls.sendall(b"hello\n")
            print(tls.recv(100).decode(), end="", flush=True)
]]
  programs.with_files({ ["one.pem"] = one, ["two.pem"] = two, ["client.py"] = client },
    function(dir)
      aio.run(function()
        local function backend(name)
          return aio.start_server(function(conn)
            for line in conn:lines() do conn:write(name, " ", line, "\n") end
            conn:write(name, " goodbye\n")
          end, "127.0.0.1", 0)
        end
        local a <close> = backend "one"
        local b <close> = backend "two"
        local gone = programs.free_port()
        with_server(function(port, proxy)
          for name, host in pairs { one = "localhost", two = "example.org" } do
            local conn <close> = tls.connect(port, tls.client(), host)
            lu.assertEquals(ask(conn, "hello"), name .. " hello")
          end
          local unnamed <close> = tls.connect(port, tls.client(), "127.0.0.1")
          lu.assertEquals(ask(unnamed, "hello"), "one hello")
          unnamed:close()

          programs.start_client(dir, "",
            ("python3 client.py %d localhost example.org"):format(port))
          tls.wait_for(function()
            return programs.read_file(dir .. "/out") == "one hello\ntwo hello\n"
          end)
          local plain <close> = aio.open_connection("127.0.0.1", port)
          plain:write("GET / HTTP/1.0\r\n\r\n")
          aio.catch(aio.OSError, plain.read, plain, "a")
          until_said(proxy, "http request (does the peer speak TLS here?)")
          local nowhere <close> = tls.connect(port, tls.client(), "a.example.net")
          lu.assertNil(nowhere:read("l"))
          until_said(proxy, "a.example.net: 127.0.0.1:")
          interrupt(proxy)
          finish(proxy)
        end, "tls_proxy.lua", ("localhost=%s/one.pem=127.0.0.1:%d"):format(dir, a.port),
          ("example.org=%s/two.pem=127.0.0.1:%d"):format(dir, b.port),
          ("a.example.net=%s/two.pem=127.0.0.1:%d"):format(dir, gone))
      end)
    end)
end

function TestExamples.test_producer_consumer()
  check("producer_consumer.lua")
end

function TestExamples.test_line_protocol()
  check("line_protocol.lua")
end

function TestExamples.test_udp_dns()
  check("udp_dns.lua")
end

function TestExamples.test_echo()
  with_server(function(port, server)
    local text = finish(start("echo_client.lua", port, "one", "'two words'"))
    lu.assertEquals(text, "one\ntwo words\n")
    lu.assertStrMatches(server.pipe:read("l"), "hello 127%.0%.0%.1:%d+")
    lu.assertStrMatches(server.pipe:read("l"), "goodbye 127%.0%.0%.1:%d+")
    interrupt(server)
    local _, how, code = finish(server)
    lu.assertEquals({ how, code }, { "exit", 130 })
  end, "echo_server.lua")
end

function TestExamples.test_port_scanner()
  with_server(function(port, server)
    local text = finish(start("port_scanner.lua", "127.0.0.1", port, port))
    lu.assertEquals(text, port .. " is open\n127.0.0.1: 1 of 1 ports are open\n")
    interrupt(server)
    finish(server)
  end, "echo_server.lua")
end

-- The line as it should be, without printing all of it.
local function same_line(got, want)
  lu.assertTrue(got == want, got and ("got %d bytes: %.40s"):format(#got, got) or "got the end")
end

-- guest 1 writes until guest 3, who never reads, has been dropped; guest 2 hears everything.
local function chat(port)
  local one <close> = aio.open_connection("127.0.0.1", port)
  lu.assertEquals(one:read("l"), "you are guest 1")
  local two <close> = aio.open_connection("127.0.0.1", port)
  lu.assertEquals(two:read("l"), "you are guest 2")
  local three <close> = aio.open_connection("127.0.0.1", port)
  lu.assertEquals(three:read("l"), "you are guest 3")
  lu.assertEquals({ one:read("l"), one:read("l") }, { "guest 2 came", "guest 3 came" })
  lu.assertEquals(two:read("l"), "guest 3 came")

  local line, sent, heard, dropped = ("x"):rep(1000), 0, 0, false
  local ahead = aio.Semaphore(AHEAD)
  aio.create_task(function()
    while not dropped and sent < TRIES do
      ahead:acquire()
      one:write(line, "\n")
      sent = sent + 1
    end
    one:write("the end\n")
  end)
  for text in two:lines() do
    if text == "guest 1: the end" then break end
    if text == "guest 3 left" then
      dropped = true
    else
      same_line(text, "guest 1: " .. line)
      heard = heard + 1
      ahead:release()
    end
  end
  lu.assertTrue(dropped)
  lu.assertEquals(heard, sent)
  one:close()
  lu.assertEquals(two:read("l"), "guest 1 left")
end

function TestExamples.test_chat_server()
  with_server(function(port, server)
    aio.run(chat, port)
    lu.assertEquals(server.pipe:read("l"), "guest 3 is too slow: dropped")
    interrupt(server)
    local _, how, code = finish(server)
    lu.assertEquals({ how, code }, { "exit", 130 })
  end, "chat_server.lua")
end

function TestExamples.test_parallel_map()
  check("parallel_map.lua")
end

function TestExamples.test_worker_pool()
  check("worker_pool.lua")
end

-- On a terminal there is a bar besides, which is gone at the end.
function TestExamples.test_parallel_map_draws_a_bar_on_a_terminal()
  local text = with_terminal("parallel_map.lua")
  lu.assertStrContains(text, "[" .. ("#"):rep(5) .. (" "):rep(25) .. "] 1 of 6\r")
  lu.assertStrContains(text, "[" .. ("#"):rep(30) .. "] 6 of 6\r\27[K")
  local rest = text:gsub("^.*\27%[K", ""):gsub("\r\n", "\n")
  lu.assertEquals(rest, expected("parallel_map.lua"))
end

function TestExamples.test_no_gil()
  local text, how, code = finish(start("no_gil.lua", 20000))
  lu.assertStrMatches(text, "one thread:  [%d.]+ s\ntwo threads: [%d.]+ s\n"
    .. "[%d.]+ times as fast\n")
  lu.assertEquals({ how, code }, { "exit", 0 })
end

function TestExamples.test_graceful_shutdown()
  with_server(function(port, server)
    aio.run(function()
      local conn <close> = aio.open_connection("127.0.0.1", port)
      lu.assertEquals(ask(conn, "hello"), "you said: hello")
      interrupt(server)
      lu.assertEquals(server.pipe:read("l"), "shutting down, 1 connected")
      lu.assertEquals(ask(conn, "still there?"), "you said: still there?")
      local ok, err = aio.catch(aio.OSError, aio.open_connection, "127.0.0.1", port)
      lu.assertEquals({ ok, err.code }, { false, "ECONNREFUSED" })
    end)
    local text, how, code = finish(server)
    lu.assertEquals({ text, how, code }, { "everybody is gone\n", "exit", 0 })
  end, "graceful_shutdown.lua", 60)
end

function TestExamples.test_sigterm_ends_the_server_too()
  with_server(function(_, server)
    aio.kill(server.pid, "SIGTERM")
    local text, how, code = finish(server)
    local said = "shutting down, 0 connected\neverybody is gone\n"
    lu.assertEquals({ text, how, code }, { said, "exit", 0 })
  end, "graceful_shutdown.lua")
end

function TestExamples.test_supervisor()
  check("supervisor.lua")
end

function TestExamples.test_supervisor_ends_its_program_at_sigterm()
  local program = start("supervisor.lua", "sh", "-c",
    env.quote("trap 'echo cleaning up; exit 4' TERM; echo ready; while :; do sleep 0.01; done"))
  lu.assertEquals(program.pipe:read("l"), "  ready")
  aio.kill(program.pid, "SIGTERM")
  local text, how, code = finish(program)
  lu.assertEquals({ text, how, code }, { "SIGTERM: stopping\ndone\n", "exit", 0 })
end

function TestExamples.test_pipeline()
  check("pipeline.lua")
end

function TestExamples.test_watch()
  check("watch.lua")
end

function TestExamples.test_watch_runs_a_command()
  local folder = os.tmpname()
  os.remove(folder)
  assert(os.execute("mkdir " .. folder))
  local program = start("watch.lua", folder, "echo", "again")
  -- The watch begins when it begins: a change is made until the first was seen.
  local toucher = assert(io.popen(("for i in $(seq 300); do echo > %s/f; sleep 0.3; done & echo $!")
    :format(folder)))
  local pid = toucher:read "n"
  lu.assertEquals(program.pipe:read("l"), "changed: f")
  lu.assertEquals(program.pipe:read("l"), "again")
  lu.assertEquals(program.pipe:read("l"), "exit code 0")
  interrupt(program)
  finish(program)
  os.execute("kill " .. pid)
  toucher:close()
  os.execute("rm -r " .. folder)
end

function TestExamples.test_tail()
  check("tail.lua")
end

function TestExamples.test_tail_of_a_file_that_is_cut_off()
  local path = os.tmpname()
  assert(os.execute(("seq 1000 > %s"):format(path)))
  local program = start("tail.lua", path, 2)
  lu.assertEquals({ program.pipe:read("l", "l") }, { "999", "1000" })
  assert(os.execute(("echo more >> %s"):format(path)))
  lu.assertEquals(program.pipe:read("l"), "more")
  assert(os.execute(("echo new > %s"):format(path)))
  lu.assertEquals(program.pipe:read("l"), "new")
  interrupt(program)
  finish(program)
  os.remove(path)
end

function TestExamples.test_shutdown_cuts_off_who_stays()
  with_server(function(port, server)
    aio.run(function()
      local conn <close> = aio.open_connection("127.0.0.1", port)
      lu.assertEquals(ask(conn, "hello"), "you said: hello")
      interrupt(server)
      local text, how, code = finish(server)
      local said = "shutting down, 1 connected\ntime is up, 1 cut off\neverybody is gone\n"
      lu.assertEquals({ text, how, code }, { said, "exit", 0 })
    end)
  end, "graceful_shutdown.lua", 0.05)
end

function TestExamples.test_hello_http()
  if not env.has_http() then lu.skip("this build has no library for HTTP") end
  with_server(function(port, server)
    aio.run(function()
      local conn <close> = aio.open_connection("127.0.0.1", port)
      conn:write("GET /hello/you HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      lu.assertStrMatches(conn:read("a"), "HTTP/1.1 200 OK\r\n.*\r\n\r\nHello, you!\n")
    end)
    interrupt(server)
    local text, how, code = finish(server)
    lu.assertEquals({ text, how, code }, { "", "exit", 0 })
  end, "hello_http.lua")
end

function TestExamples.test_sse_ticker()
  if not env.has_http() then lu.skip("this build has no library for HTTP") end
  check("sse_ticker.lua")
end

-- Two who talk, and one who never reads what the others say.
function TestExamples.test_chat_websocket()
  if not (env.has_http() and env.has_tls()) then lu.skip("this build has no library for HTTP") end
  local http = require "aio.http"
  with_server(function(port, server)
    aio.run(function()
      local session <close> = http.ClientSession()
      local url = ("http://127.0.0.1:%d/"):format(port)
      lu.assertStrContains(session:get(url):text(), "<title>Chat</title>")
      local a <close> = session:ws_connect(url .. "chat")
      lu.assertEquals(a:receive_str(), "guest 1 came")
      local b = session:ws_connect(url .. "chat")
      lu.assertEquals(a:receive_str(), "guest 2 came")
      b:send "hello é"
      lu.assertEquals(a:receive_str(), "guest 2: hello é")
      b:close()
      lu.assertEquals(a:receive_str(), "guest 2 left")
      local deaf = session:ws_connect(url .. "chat")
      lu.assertEquals(a:receive_str(), "guest 3 came")
      local text = ("x"):rep(1000)
      local speaker = aio.create_task(function()
        for _ = 1, TRIES do
          a:send(text)
          lu.assertEquals(#a:receive_str(), 1009)
        end
      end)
      local ok, err = pcall(speaker.await, speaker) -- it hears that the deaf one is gone
      lu.assertFalse(ok)
      lu.assertStrContains(tostring(err), "expected: 1009")
      deaf:close()
    end)
    interrupt(server)
    local text = finish(server)
    lu.assertStrContains(text, "guest 3 is too slow: dropped")
  end, "chat_websocket.lua")
end

return TestExamples
