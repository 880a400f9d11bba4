-- SPDX-License-Identifier: MIT
-- Where things are: the checkout, the build under test, the interpreter. Every part of the test
-- driver asks here. Invariant: the paths of `aio` are set once, before it is first required.

local env = {}

---@type table|nil  what tests/support/lua.c offers, when that is the interpreter
env.host = package.loaded.testhost

-- Programs of the tests run in folders of their own, so no path may be relative.
local function absolute(path)
  if path:find("^/") then return path end
  local pipe = assert(io.popen "pwd")
  local here = pipe:read("l")
  pipe:close()
  return path == "." and here or here .. "/" .. path
end

local script = arg[0]
env.root = (script:match("^(.*)/tests/[^/]*$") or script:match("^(.*)/tests/.+$") or ".")
if not script:find("/", 1, true) then env.root = ".." end
env.root = absolute(env.root)

local function exists(path)
  local f = io.open(path)
  return f and f:close()
end
env.exists = exists

---@type string|nil  build directory; nil when the aio of the environment's paths is tested
env.build = os.getenv("AIO_BUILD")
if not env.build and exists(env.root .. "/build/normal/aio/core.so") then
  env.build = env.root .. "/build/normal"
end
env.build = env.build and absolute(env.build)

---@type string  folder for records of this run ("" for none)
env.records = os.getenv("AIO_TEST_RECORDS") or ""

---@return boolean  whether the build has the library for TLS
function env.has_tls()
  return package.searchpath("aio.tls", package.cpath) ~= nil
end

---@return boolean  whether the build has the library for HTTP
function env.has_http()
  return package.searchpath("aio.http.core", package.cpath) ~= nil
end

---@return boolean  whether the build has the library for JSON
function env.has_json()
  return package.searchpath("aio.jansson", package.cpath) ~= nil
end

---@param name string  an option of CMakeLists.txt, such as "AIO_TLS"
---@return string|nil  what it is in the build: "ON", "OFF", or a text; nil without a build
function env.option(name)
  local cache = env.build and io.open(env.build .. "/CMakeCache.txt")
  if not cache then return nil end
  local text = "\n" .. cache:read("a")
  cache:close()
  return text:match("\n" .. name .. ":%u+=([^\n]*)")
end

---@type boolean  whether the build has the tiny constants
env.hostile = env.option "AIO_HOSTILE" == "ON"

---@type string  the sanitizers of the build, as for gcc ("" for none)
env.sanitizers = env.option "AIO_SANITIZE" or ""

---@type string  what programs run under, such as valgrind with its options ("" for nothing)
env.prefix = os.getenv("AIO_TEST_PREFIX") or ""

---@type boolean  whether that is so: valgrind is slow, and has descriptors and room of its own
env.valgrind = env.prefix ~= ""

---@param word string
---@return string  the word quoted for the shell
function env.quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- The interpreter of this process, for others.
local first = -1
while arg[first - 1] do first = first - 1 end
env.interpreter = arg[first]
if env.interpreter:find("/", 1, true) then env.interpreter = absolute(env.interpreter) end

local lua_path = ("%s/lua/?.lua;%s/lua/?/init.lua;"):format(env.root, env.root)
local lua_cpath = env.build and env.build .. "/?.so;" or ""

package.path = env.root .. "/tests/?.lua;" .. (env.build and lua_path or "") .. package.path
package.cpath = lua_cpath .. package.cpath

---@param args string  what stands behind the interpreter, quoted
---@param interpreter string|nil  another one than that of this process
---@return string  shell command that runs the interpreter on the same build
function env.command(args, interpreter)
  local paths = ""
  if env.build then
    paths = ("LUA_PATH=%s LUA_CPATH=%s "):format(env.quote(lua_path .. ";"),
      env.quote(lua_cpath .. ";"))
  end
  return ("%sAIO_TEST_ROOT=%s %s %s %s"):format(paths, env.quote(env.root), env.prefix,
    env.quote(interpreter or env.interpreter), args)
end

---Runs a program by the shell.
---@param code string  the program, behind `local aio = require "aio"`
---@param command string  shell line in which %s is the call of it
---@return string  what that prints
function env.shell(code, command)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write("local aio = require 'aio'\n", code)
  file:close()
  local pipe = assert(io.popen((command:gsub("%%s", function()
    return "env " .. env.command(env.quote(path))
  end))))
  local output = pipe:read("a")
  pipe:close()
  os.remove(path)
  return output
end

---@param path string
---@return string  the bytes of the file; raises when there is none
function env.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

---@param pattern string  shell pattern, relative to the checkout
---@return string[]  the files that match, sorted, relative to the checkout
function env.glob(pattern)
  local files = {}
  local pipe = assert(io.popen(("cd %s && ls -d %s 2>/dev/null"):format(env.quote(env.root),
    pattern)))
  for line in pipe:lines() do files[#files + 1] = line end
  pipe:close()
  table.sort(files)
  return files
end

---Notes for whoever counts how a part of this run ended.
---@param name string
---@param passed integer
---@param failed integer
---@param skipped integer
function env.record(name, passed, failed, skipped)
  if env.records == "" then return end
  local file = assert(io.open(("%s/%s.result"):format(env.records, name:gsub("/", "-")), "w"))
  file:write(("%d %d %d\n"):format(passed, failed, skipped))
  file:close()
end

---@return function  a loop that never ends. A new one each time, which crosses to other threads by
---its code. ThreadSanitizer hands signals over in calls of the C library only.
function env.endless()
  if env.sanitizers:find("thread", 1, true) then
    return function() while true do local _ = {} end end
  end
  return function() while true do end end
end

return env
