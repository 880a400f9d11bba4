-- SPDX-License-Identifier: MIT
-- The hostile client: aio-lua tests/hostile/run.lua [seconds [seed [program...]]]
-- Attacks each server (servers.lua) in every way (attacks.lua) for so many seconds. Beside that,
-- honest clients ask all the time, and every answer must be right. Afterwards the server's
-- descriptors are back, its memory has kept below its bound, and it ends as it should at Ctrl-C.

package.path = arg[0]:gsub("hostile/[^/]*$", "") .. "?.lua;" .. package.path

local env = require "support.env"
local aio = require "aio"
local attacks = require "hostile.attacks"
local attacks_http = require "hostile.attacks_http"
local servers = require "hostile.servers"

-- HTTP is attacked as any service, and besides.
attacks.http = attacks_http
for name, attack in pairs(attacks.tcp) do attacks.http[name] = attack end

local HONEST = 3 -- clients that ask all the time
local PATIENCE = 60 -- seconds for one round of an honest client, and for what has to end
local STEP = 0.05
local INTERRUPTED = 130
local ASAN = "ASAN_OPTIONS=quarantine_size_mb=8:malloc_context_size=5"
local SHADOW = 4 -- times the memory, with AddressSanitizer

-- ---- the server's process ----

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a")
  if file then file:close() end
  return text
end

local function poll(condition)
  while true do
    local value = condition()
    if value then return value end
    aio.sleep(STEP)
  end
end

local function wait_for(what, condition)
  local ok, value = aio.catch(aio.TimeoutError, aio.timeout, PATIENCE, poll, condition)
  return ok and value or error("waited in vain for " .. what, 0)
end

-- Its output goes to a file: nobody has to read it.
local function start(program, argument)
  local output = os.tmpname()
  local command = ("env --default-signal=INT,QUIT %s %s >%s 2>&1"):format(ASAN,
    env.command(env.quote(env.root .. "/" .. program) .. " 0 " .. argument), env.quote(output))
  local pipe = assert(io.popen("echo $$; exec " .. command))
  local server = { program = program, pipe = pipe, output = output, pid = pipe:read("n") }
  server.port = wait_for("the port of " .. program, function()
    local text = read(output)
    return tonumber(text:match "listening on 127%.0%.0%.1:(%d+)\n"
      or text:match "http://127%.0%.0%.1:(%d+)")
  end)
  return server
end

local function memory_of(server)
  local pages = (read(("/proc/%d/statm"):format(server.pid)) or ""):match("^%d+ (%d+)")
  return (tonumber(pages) or 0) * 4096
end

local function descriptors_of(server)
  local pipe = assert(io.popen(("ls /proc/%d/fd | wc -l"):format(server.pid)))
  local n = pipe:read("n")
  pipe:close()
  return n
end

local function is_running(server)
  local stat = read(("/proc/%d/stat"):format(server.pid))
  return stat ~= nil and not stat:find("%) [ZX] ")
end

-- How it ended: "exit" or "signal", the number; and all that it wrote.
local function stop(server)
  os.execute("kill -INT " .. server.pid)
  local ended = pcall(wait_for, "the end", function() return not is_running(server) end)
  if not ended then os.execute("kill -KILL " .. server.pid) end
  local _, how, code = server.pipe:close()
  local text = read(server.output)
  os.remove(server.output)
  return how, code, text
end

-- ---- the attack ----

local function names_of(list)
  local names = {}
  for name in pairs(list) do names[#names + 1] = name end
  table.sort(names)
  return names
end

-- Numbers that look random, of a stream for each attack: what one does depends on the seed alone.
local function random_of(seed)
  local state = seed * 0x2545F4914F6CDD1D ~ 0x5DEECE66D | 1
  return function(low, high)
    state = state ~ state << 13
    state = state ~ state >> 7
    state = state ~ state << 17
    return low + (state >> 1) % (high - low + 1)
  end
end

local TROUBLE = { aio.OSError, aio.TimeoutError, aio.RuntimeError }

local function besiege(attack, port, random, deadline, loop)
  while loop:time() < deadline do
    if not aio.catch(TROUBLE, attack, port, random) then aio.sleep(STEP) end
  end
end

local function be_honest(server, healthy, deadline, loop, counts)
  local function answered() counts.answers = counts.answers + 1 end
  repeat
    local started = loop:time()
    local ok, err = aio.catch(aio.TimeoutError, aio.timeout, PATIENCE, healthy, server.port,
      answered)
    if not ok then error("an honest client was not answered: " .. tostring(err), 0) end
    counts.rounds = counts.rounds + 1
    counts.longest = math.max(counts.longest, loop:time() - started)
  until loop:time() >= deadline
end

local function watch_memory(server, counts)
  while true do
    counts.memory = math.max(counts.memory, memory_of(server))
    aio.sleep(STEP)
  end
end

local function attack_all(server, one, seconds, seed)
  local loop = aio.get_running_loop()
  local deadline = loop:time() + seconds
  local counts = { answers = 0, rounds = 0, longest = 0, memory = 0 }
  one.healthy(server.port, function() end) -- it has done everything once
  wait_for("a quiet server", function()
    local n, before = descriptors_of(server), server.descriptors
    server.descriptors = n
    return n == before
  end)
  local memory = memory_of(server)
  local watcher = aio.create_task(watch_memory, server, counts)
  do
    local group <close> = aio.TaskGroup()
    for n, name in ipairs(names_of(attacks[one.kind])) do
      group:create_task(besiege, attacks[one.kind][name], server.port, random_of(seed + n),
        deadline, loop)
    end
    for _ = 1, HONEST do
      group:create_task(be_honest, server, one.healthy, deadline, loop, counts)
    end
  end
  watcher:cancel()
  one.healthy(server.port, function() end)
  counts.memory = counts.memory - memory
  return counts
end

-- ---- the whole ----

local sanitized = env.sanitizers:find "address" ~= nil

local SIGNS = { "Sanitizer", "runtime error", "of the closed state are lost", "never retrieved" }

local function check_end(server, one)
  wait_for("the descriptors of " .. one.program, function()
    return descriptors_of(server) <= server.descriptors
  end)
  local how, code, text = stop(server)
  for _, sign in ipairs(SIGNS) do
    if text:find(sign, 1, true) then error(text:sub(-20000), 0) end
  end
  if how ~= "exit" or code ~= (one.exit or INTERRUPTED) then
    error(("it ended with %s %d\n%s"):format(how, code, text:sub(-5000)), 0)
  end
end

local function run_one(one, seconds, seed)
  local argument, beside
  if one.beside then argument, beside = one.beside() end
  local _ <close> = beside
  local server = start(one.program, env.quote(argument or ""))
  local ok, counts = pcall(attack_all, server, one, seconds, seed)
  if not ok then
    local _, _, text = stop(server)
    error(tostring(counts) .. "\n" .. text:sub(-5000), 0)
  end
  local ended, why = pcall(check_end, server, one)
  if not ended then
    if is_running(server) then stop(server) end -- who exits waits for it
    error(why, 0)
  end
  local bound = one.memory * (sanitized and SHADOW or 1)
  assert(counts.memory <= bound, ("it took %d MiB"):format(counts.memory >> 20))
  assert(counts.answers > 0, "no honest client was answered")
  local text = "ok      %s: %d answers to honest clients in %d rounds, the longest %.2f s; %d MiB"
  print(text:format(one.program, counts.answers, counts.rounds, counts.longest,
    counts.memory >> 20))
end

local function wanted(one, programs)
  for _, program in ipairs(programs) do
    if one.program == program then return true end
  end
  return #programs == 0 and (one.kind ~= "tls" or env.has_tls())
    and (one.kind ~= "http" or env.has_http())
end

local function main(seconds, seed, ...)
  seconds, seed = tonumber(seconds or 5), math.tointeger(tonumber(seed)) or os.time()
  print(("seed %d, %g s for each server"):format(seed, seconds))
  local failed = 0
  for _, one in ipairs(servers) do
    if wanted(one, { ... }) then
      local ok, err = aio.pcall(run_one, one, seconds, seed)
      if not ok then
        failed = failed + 1
        print(("FAILED  %s (seed %d): %s"):format(one.program, seed, tostring(err)))
      end
    end
  end
  if failed > 0 then error(aio.SystemExit(1)) end
end

io.stdout:setvbuf("line")
aio.main(main, ...)
