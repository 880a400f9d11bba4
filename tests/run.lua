-- SPDX-License-Identifier: MIT
-- The test driver.
--   lua5.4 tests/run.lua                   everything, each file in a process of its own
--   lua5.4 tests/run.lua test_task         one file
--   lua5.4 tests/run.lua test_task cancel  its cases whose names contain "cancel"
--   lua5.4 tests/run.lua conformance 03    the conformance programs whose names begin with "03"
-- AIO_BUILD names the build to test (build/normal when there is one, else what the paths of the
-- environment find); the interpreter may be the build's own `aio-lua`, which counts memory exactly.

package.path = arg[0]:gsub("[^/]*$", "") .. "?.lua;" .. package.path

local env = require "support.env"

local CONFORMANCE_AT_ONCE = 4

local function run_conformance(prefix)
  local conform = require "support.conform"
  local names = {}
  for _, name in ipairs(conform.names()) do
    if name:sub(1, #(prefix or "")) == (prefix or "") then names[#names + 1] = name end
  end
  if #names == 0 then return 0, 0, 1 end
  return conform.run(names, CONFORMANCE_AT_ONCE)
end

local function run_file(name, wanted)
  local file = name:gsub("^.*/", ""):gsub("%.lua$", "")
  local dir = os.getenv("AIO_TEST_NAMES")
  if dir and env.host then require("support.names").start(dir) end
  return require("support.cases").run(file, wanted)
end

local function run_everything()
  local passed, failed = 0, 0
  for _, path in ipairs(env.glob("tests/test_*.lua")) do
    print("== " .. path)
    io.stdout:flush()
    local ok = os.execute(env.command(env.quote(arg[0]) .. " " .. env.quote(path)))
    if ok then passed = passed + 1 else failed = failed + 1 end
  end
  print("== tests/conformance")
  local good, bad = run_conformance()
  print(("%d files passed, %d failed"):format(passed, failed))
  return passed + good, failed + bad
end

local function main(what, wanted)
  if not what then return run_everything() end
  if what == "conformance" then return run_conformance(wanted) end
  return run_file(what, wanted)
end

io.stdout:setvbuf("line")
local passed, failed, skipped = main(arg[1], arg[2])
if arg[1] then
  local name = arg[1]:gsub("^.*/", ""):gsub("%.lua$", "")
  env.record(arg[2] and name .. "-" .. arg[2] or name, passed, failed, skipped or 0)
end
print(("%d passed, %d failed%s"):format(passed, failed,
  (skipped or 0) > 0 and (", %d skipped"):format(skipped) or ""))
os.exit(failed == 0, true)
