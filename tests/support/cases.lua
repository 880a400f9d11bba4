-- SPDX-License-Identifier: MIT
-- Runs the cases of one test file with luaunit. A file returns a table: functions whose names begin
-- with "test" are its cases, tables in it whose names begin with "Test" or "test" are groups of
-- cases, with setUp and tearDown when they have them. Around every case stands the leak check. A
-- file whose cases only start other programs says so by a field `elsewhere`: then no memory is
-- measured here, and each runs once.

local env = require "support.env"
local leaks = require "support.leaks"
local luaunit = require "luaunit"

local cases = {}

local REPEATS = 8 -- a case is taken to leak when memory grows in every one of these runs
local CASE_SECONDS = tonumber(os.getenv("AIO_CASE_SECONDS") or 180)

local function is_luaunit(err)
  return type(err) == "table" and (err.class ~= nil or err.status ~= nil)
end

-- luaunit shows strings; an error object becomes one here, while its traceback is still there.
local function readable(err)
  if is_luaunit(err) or (type(err) == "string" and err:find("LuaUnit-TEST-", 1, true)) then
    return err
  end
  return debug.traceback(tostring(err), 2)
end

local function once(group, body)
  local before = leaks.snapshot()
  if group.setUp then group.setUp(group) end
  local results = table.pack(xpcall(body, readable, group))
  if group.tearDown then group.tearDown(group) end
  if not results[1] then error(results[2], 0) end
  local left = leaks.since(before)
  if left then luaunit.fail("left behind: " .. left) end
end

-- Caches fill and tables double: only memory that grows in each of many runs is lost.
local function check_memory(group, body)
  local last = leaks.bytes()
  local first = last
  for _ = 1, REPEATS do
    once(group, body)
    local now = leaks.bytes()
    if now <= last then return end
    last = now
  end
  luaunit.fail(("memory grows with every run of this case: %d bytes in %d runs"):format(
    last - first, REPEATS))
end

local function guarded(name, group, body, elsewhere)
  return function()
    if env.host then env.host.alarm(CASE_SECONDS, name) end
    local _ <close> = setmetatable({}, { __close = function()
      if env.host then env.host.alarm(0) end
    end })
    once(group, body)
    if os.getenv("AIO_TEST_MEMORY") == "1" and not elsewhere then check_memory(group, body) end
  end
end

local function add(list, class, group, name, elsewhere)
  local body = group[name]
  list[#list + 1] = {
    name = class .. "." .. name,
    line = debug.getinfo(body, "S").linedefined,
    run = guarded(class .. "." .. name, group, body, elsewhere),
  }
end

local function collect(file, tests)
  local list = {}
  for name, value in pairs(tests) do
    if type(value) == "function" and name:find("^test") then
      add(list, file, tests, name, tests.elsewhere)
    elseif type(value) == "table" and name:find("^[Tt]est") then
      for method, body in pairs(value) do
        if type(body) == "function" and method:find("^test") then
          add(list, name, value, method, tests.elsewhere)
        end
      end
    end
  end
  table.sort(list, function(a, b) return a.line < b.line end)
  return list
end

---@param file string  name of the file without folder and ".lua"
---@param wanted string|nil  only cases whose names contain this
---@return integer passed, integer failed, integer skipped
leaks.warm_up()

function cases.run(file, wanted)
  local tests = dofile(("%s/tests/%s.lua"):format(env.root, file))
  assert(type(tests) == "table", file .. ": a test file returns a table of its cases")
  local selected = {}
  for _, case in ipairs(collect(file, tests)) do
    if not wanted or case.name:find(wanted, 1, true) then
      selected[#selected + 1] = { case.name, case.run }
    end
  end
  assert(#selected > 0, file .. ": no such case")
  local runner = luaunit.LuaUnit.new()
  runner:runSuiteByInstances(selected, "-v")
  local result = runner.result
  local failed = result.failureCount + result.errorCount
  return result.successCount, failed, result.skippedCount
end

return cases
