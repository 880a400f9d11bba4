-- SPDX-License-Identifier: MIT
-- Other programs as the peers of tests: a folder with the test certificates, a program that is
-- started beside the test and ended with it, a port for it.

local lu = require "luaunit"
local aio = require "aio"
local certs = require "support.certs"
local env = require "support.env"
local tls = require "support.tls"

local programs = { free_port = require("support.sockets").free_port }

local function output(text)
  local pipe = assert(io.popen(text))
  local out = pipe:read("a")
  pipe:close()
  return out
end

---@return string  what the file holds, "" when it is not there
function programs.read_file(path)
  local file = io.open(path, "rb")
  if not file then return "" end
  local text = file:read("a")
  file:close()
  return text
end

local function write_file(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

---Skips the running case, by name of what is missing.
function programs.need(command)
  if not os.execute("command -v " .. command .. " >/dev/null 2>&1") then
    lu.skip(command .. " is not installed")
  end
end

---Calls fn(dir) with a folder that holds the test certificates as NAME.pem, and `files`: name ->
---text.
function programs.with_files(files, fn)
  local dir = output("mktemp -d"):gsub("\n", "")
  local _ <close> = setmetatable({}, { __close = function()
    os.execute("rm -r " .. env.quote(dir))
  end })
  for name, text in pairs(certs) do write_file(("%s/%s.pem"):format(dir, name), text) end
  write_file(dir .. "/own.pem", certs.server .. certs.server_key)
  for name, text in pairs(files) do write_file(dir .. "/" .. name, text) end
  return fn(dir)
end

---Starts a server in a folder, given as a shell command; what it prints goes to `out` there. To be
---closed, which ends it.
function programs.start(dir, command)
  local pid = output(("(cd %s && exec timeout 150 %s </dev/null >out 2>&1) & echo $!"):format(
    env.quote(dir), command)):gsub("\n", "")
  return aio.defer(function() os.execute("kill " .. pid .. " 2>/dev/null") end)
end

---Starts a client in a folder, whose input is the text, and then stays open until the folder is
---removed; so the client ends by itself.
function programs.start_client(dir, text, command)
  assert(os.execute(("cd %s && { printf %%s %s; while [ -e %s ]; do sleep 0.05; done; } | "
    .. "timeout 150 %s >out 2>&1 &"):format(env.quote(dir), env.quote(text), env.quote(dir),
    command)))
end

---Connects to a program that has just been started.
function programs.connect_when_up(port, ctx)
  local conn
  tls.wait_for(function()
    local ok, result = aio.catch(aio.OSError, tls.connect, port, ctx)
    if ok then conn = result end
    if not ok and result.code ~= "ECONNREFUSED" then error(result, 0) end
    return ok
  end)
  return conn
end

return programs
