-- SPDX-License-Identifier: MIT
-- Runs the conformance programs: each is a process of its own whose output must equal the recorded
-- one, and which must end with 0.

local env = require "support.env"

local conform = {}

local SECONDS = tonumber(os.getenv("AIO_CASE_SECONDS") or 60)

-- The order of some lines is an accident of asyncio here: the set of lines counts.
conform.incidental = {
  ["064_cancel_before_start_with_message_order"] = true,
  ["174_task_callback_order"] = true,
  ["239_barrier_cancel_waiter"] = true,
  ["312_stream_peer_disconnect"] = true,
  ["330_protocol_callbacks"] = true,
}

-- These count on a small message arriving in one piece, which it does not in the hostile build.
local IN_ONE_PIECE = { ["304_stream_limit_readuntil"] = true }

-- TLS is a part that a build may lack.
local function can_run(name)
  return not name:find("_tls_", 1, true) or env.has_tls()
end

---@return string[]  the names of the programs
function conform.names()
  local names, hostile = {}, env.hostile
  for _, path in ipairs(env.glob("tests/conformance/*_*.lua")) do
    local name = path:match("([^/]*)%.lua$")
    if can_run(name) and not (hostile and IN_ONE_PIECE[name]) then names[#names + 1] = name end
  end
  return names
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return text
end

local function sorted(text)
  local lines = {}
  for line in text:gmatch("([^\n]*)\n") do lines[#lines + 1] = line end
  table.sort(lines)
  return table.concat(lines, "\n")
end

---@param name string
---@return string  what the program must print
function conform.expected(name)
  return assert(read(("%s/tests/conformance/expected/%s.txt"):format(env.root, name)),
    "no recorded output for " .. name)
end

---@param name string
---@param got string
---@return boolean  whether this is what the program must print
function conform.equal(name, got)
  local want = conform.expected(name)
  return got == want or (conform.incidental[name] and sorted(got) == sorted(want)) or false
end

-- The first line that differs, with its neighbours' numbers: enough to see what went wrong.
local function difference(want, got)
  local next_want, next_got = want:gmatch("[^\n]*"), got:gmatch("[^\n]*")
  for line = 1, math.huge do
    local a, b = next_want(), next_got()
    if a ~= b then
      return ("line %d\n  expected: %s\n  got:      %s"):format(line, a or "(end)", b or "(end)")
    end
    if not a then return "nothing but the order" end
  end
end

-- AIO_TEST_LUA names another interpreter for the programs: the one that users have.
local OTHER_LUA = os.getenv("AIO_TEST_LUA")

-- The clock of the test interpreter, for another one.
local PRELOAD = env.build and env.build .. "/tests/fast_clock.so"

-- What other threads and processes do takes real time.
local function waits_for_others(script)
  local text = read(script) or ""
  return text:find("to_thread", 1, true) or text:find("run_in_executor", 1, true)
    or text:find("subprocess_", 1, true)
end

local function path_of(name) return ("%s/tests/conformance/%s.lua"):format(env.root, name) end

-- The clock jumps over every wait, so that a busy machine is never too late for what a program
-- orders by sleeping.
local function clock_jumps(name)
  local can_jump = env.host
  if OTHER_LUA then can_jump = PRELOAD and env.exists(PRELOAD) end
  return can_jump and not waits_for_others(path_of(name))
end

-- On the real clock a program may be disturbed: it has more than one try.
local function tries(name) return clock_jumps(name) and 1 or 3 end

local function options(name)
  local dir = os.getenv("AIO_TEST_NAMES")
  if not env.host or OTHER_LUA then return "" end
  local clock = clock_jumps(name) and "-e 'package.loaded.testhost.fast_clock()' " or ""
  if not dir then return clock end
  local chunk = "package.path = %q .. package.path; require('support.names').start(%q)"
  return clock .. "-e " .. env.quote(chunk:format(env.root .. "/tests/?.lua;", dir)) .. " "
end

local function command(name)
  local line = env.command(options(name) .. env.quote(path_of(name)), OTHER_LUA)
  if not OTHER_LUA or not clock_jumps(name) then return line end
  return ("LD_PRELOAD=%s %s"):format(env.quote(PRELOAD), line)
end

---Starts a program; the answer is a function that waits for it.
---@param name string
---@return fun(): boolean, string  whether it passed, and what was wrong
function conform.start(name)
  local errors = os.tmpname()
  local pipe = assert(io.popen(("timeout -k 5 %d env %s 2>%s"):format(SECONDS, command(name),
    errors)))
  return function()
    local got = pipe:read("a")
    local ok, how, code = pipe:close()
    local complaints = read(errors) or ""
    os.remove(errors)
    if not conform.equal(name, got) then
      return false, difference(conform.expected(name), got) .. "\n" .. complaints
    end
    if not ok then return false, ("%s %d\n%s"):format(how, code, complaints) end
    return true, ""
  end
end

---@param names string[]
---@param at_once integer  how many run at the same time
---@return integer passed, integer failed
function conform.run(names, at_once)
  local passed, failed, running = 0, 0, {}
  local function finish()
    local first = table.remove(running, 1)
    local ok, why = first.wait()
    for _ = 2, tries(first.name) do
      if not ok then ok, why = conform.start(first.name)() end
    end
    print((ok and "ok      " or "FAILED  ") .. first.name)
    if ok then passed = passed + 1 else failed = failed + 1 end
    if not ok then print(why) end
  end
  for _, name in ipairs(names) do
    if #running >= at_once then finish() end
    running[#running + 1] = { name = name, wait = conform.start(name) }
  end
  while #running > 0 do finish() end
  return passed, failed
end

return conform
