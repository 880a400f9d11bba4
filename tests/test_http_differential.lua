-- SPDX-License-Identifier: MIT
-- The parser of HTTP/1 beside h11, on mutated messages: never laxer, and where it is stricter, the
-- reason is in docs/security.md. AIO_HTTP_MUTATIONS says how many (of requests, and of responses),
-- AIO_HTTP_SEED with which seed.

local env = require "support.env"
local lu = require "luaunit"

local hc = env.has_http() and require "aio.http.core"

local COUNT = math.tointeger(os.getenv "AIO_HTTP_MUTATIONS" or 400)
local SEED = math.tointeger(os.getenv "AIO_HTTP_SEED" or 1)

-- A Python that has h11: the first in the path may be another than the system's.
local function find_python()
  for _, python in ipairs { "python3", "/usr/bin/python3" } do
    if os.execute(python .. " -c 'import h11' 2>/dev/null") then return python end
  end
  return nil
end

local python = hc and find_python()

local T = {}

function T.setUp()
  if not hc then lu.skip("this build has no library for HTTP") end
  if not python then lu.skip("no h11 for Python") end
end

-- Our verdict: "ok" and what was taken, "more", or "bad" and why.
local function chunks(p, text, head)
  local parts = { head }
  local at = 1
  while true do
    local used, done = p:feed(text:sub(at))
    at = at + used
    if not done then return "ok", table.concat(parts) end
    local data, last, message = p:body()
    if not data then return "bad", message end
    parts[#parts + 1] = data
    if last then return "ok", table.concat(parts) .. "\nend" end
  end
end

local function told(p, request)
  local headers, a, b, minor, length = p:head()
  if not headers then return nil, b end
  local fields = {}
  for name, value in pairs(headers) do
    name = name:lower()
    if name == "transfer-encoding" then value = value:lower() end -- as h11 does
    fields[#fields + 1] = ("%s: %s\n"):format(name, value)
  end
  return ("%s %s 1.%d\n%s\n"):format(a, b, minor, table.concat(fields)), length,
    not request and a < 200
end

local function verdict(kind, text)
  local p = hc.parser(kind)
  if kind == "response" then p:begin "GET" end
  local used, done = p:feed(text)
  if not done then return "more" end
  local head, length, informational = told(p, kind == "request")
  if not head then return "bad", length end
  if informational then return "ok", head end
  local rest = text:sub(used + 1)
  if length == -1 then return chunks(p, rest, head) end
  if length == -2 then return "ok", head .. rest end
  local body = rest:sub(1, length)
  return "ok", head .. body .. (#body == length and "\nend" or "")
end

-- Bytes that h11 has refused, and for which we only wait: they must be refused in the end.
local function refused_in_the_end(kind, text)
  return verdict(kind, text .. "\r\n\r\n0\r\n\r\n") == "bad"
end

local function reasons()
  local file = assert(io.open(env.root .. "/docs/security.md"))
  local text = file:read("a")
  file:close()
  return text
end

-- What went wrong with one message, or nil; notes the reason of a stricter verdict.
local function compare(kind, text, theirs, took, stricter)
  local ours, what = verdict(kind, text)
  if ours == "bad" then
    local reason = what:gsub(': ".*', "")
    if theirs ~= "bad" then stricter[reason] = stricter[reason] or text end
  elseif theirs == "bad" then
    if ours == "ok" or not refused_in_the_end(kind, text) then return "we are laxer: " .. ours end
  elseif ours ~= theirs then
    return ("h11 says %s, we say %s"):format(theirs, ours)
  elseif ours == "ok" and what ~= took then
    return ("h11 took %q, we took %q"):format(took, what)
  end
  return nil
end

local function shown(what, text)
  return (("%s: \"%s\""):format(what, text):gsub("[^ -~]", function(c)
    return ("\\x%02x"):format(c:byte())
  end))
end

local function run(kind)
  local pipe = assert(io.popen(("%s %s/tests/differential/http1.py %s %d %d"):format(python,
    env.quote(env.root), kind, COUNT, SEED)))
  local n, wrong, stricter = 0, {}, {}
  for line in pipe:lines() do
    local len, theirs, tlen = line:match "^(%d+) (%a+) (%d+)$"
    local text, took = pipe:read(tonumber(len)), pipe:read(tonumber(tlen))
    n = n + 1
    local why = compare(kind, text, theirs, took, stricter)
    if why then wrong[#wrong + 1] = shown(why, text) end
  end
  lu.assertTrue(pipe:close())
  lu.assertEquals(n, COUNT)
  local known = reasons()
  for reason, text in pairs(stricter) do
    if not known:find(reason, 1, true) then
      wrong[#wrong + 1] = shown("not in docs/security.md: " .. reason, text)
    end
  end
  if #wrong == 0 then return end
  lu.fail(#wrong .. ":\n" .. table.concat(wrong, "\n", 1, math.min(#wrong, 20)))
end

function T.test_requests() run "request" end

function T.test_responses() run "response" end

return T
