-- SPDX-License-Identifier: MIT
--
-- Access logs: one line for each request, in a format of Apache's or as JSON. What clients send is
-- escaped, so that no request can write a line of its own. Of a request that was refused as it came
-- only `remote` is known; `method`, `version` and the others are nil then.

local core = require "aio.core"
local check = require "aio.check"

local M = {}

local FORMATS = {
  common = '%h %l %u %t "%r" %>s %b',
  combined = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"',
}

local function hex(c) return ("\\x%02x"):format(c:byte()) end

-- As Apache does it.
local function escape(s)
  if s == nil or s == "" then return "-" end
  return (tostring(s):gsub('[%c"\\\127-\255]', hex))
end

local stamp, stamp_at

local function clf_time(c)
  if stamp_at ~= c.wall then
    stamp_at, stamp = c.wall, os.date("!%d/%b/%Y:%H:%M:%S +0000", c.wall)
  end
  return "[" .. stamp .. "]"
end

local function protocol(req) return req.version and "HTTP/" .. req.version or "-" end

local function request_line(req)
  return req.method and ("%s %s %s"):format(req.method, req.raw_path, protocol(req))
end

local function elapsed(c) return core.get_running_loop():time() - c.t0 end

-- What a letter stands for: function(c, req, argument).
local WHAT = {
  a = function(_, req) return escape(req.remote) end,
  b = function(c) return c.bytes > 0 and tostring(c.bytes) or "-" end,
  B = function(c) return tostring(c.bytes) end,
  D = function(c) return ("%d"):format(elapsed(c) * 1e6 // 1) end,
  H = function(_, req) return protocol(req) end,
  i = function(_, req, name) return escape(req.headers[name]) end,
  l = function() return "-" end,
  m = function(_, req) return escape(req.method) end,
  P = function() return tostring(core.getpid()) end,
  q = function(_, req)
    return (req.query_string or "") ~= "" and "?" .. escape(req.query_string) or ""
  end,
  r = function(_, req) return escape(request_line(req)) end,
  s = function(c) return tostring(c.status or 0) end,
  t = clf_time,
  T = function(c) return ("%.6f"):format(elapsed(c)) end,
  u = function() return "-" end,
  U = function(_, req) return escape(req.path) end,
  v = function(_, req) return escape(req.host) end,
}
WHAT.h = WHAT.a

-- What stands at a "%": its letter, its argument, and where it ends.
local function directive(format, at)
  local argument, letter, stop = format:match("^%%{([^}]*)}(%a)()", at)
  if not letter then letter, stop = format:match("^%%>?([%a%%])()", at) end
  local known = letter == "%" or WHAT[letter] and (letter ~= "i") == (argument == nil)
  check.arg(known, 2, "AppRunner", ("option 'access_log': unknown '%s'"):format(
    format:sub(at, (stop or at + 2) - 1)))
  return letter, argument, stop
end

-- A format as a list of strings and { function, argument }.
local function compile(format)
  local parts, at = {}, 1
  while true do
    local from = format:find("%", at, true)
    parts[#parts + 1] = format:sub(at, (from or 0) - 1)
    if not from then return parts end
    local letter, argument
    letter, argument, at = directive(format, from)
    parts[#parts + 1] = letter == "%" and "%" or { WHAT[letter], argument }
  end
end

local function apache(format)
  local parts = compile(format)
  return function(c, req)
    local out = {}
    for i, part in ipairs(parts) do
      out[i] = type(part) == "string" and part or part[1](c, req, part[2])
    end
    return table.concat(out)
  end
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- A string of JSON; bytes that are no UTF-8 become the characters of their numbers.
local function quoted(s)
  if s == nil then return "null" end
  if not utf8.len(s) then
    s = s:gsub("[\128-\255]", function(c) return utf8.char(c:byte()) end)
  end
  return '"' .. s:gsub('[%c"\\\127]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function as_json(c, req)
  local fields = {
    '"time":"', os.date("!%Y-%m-%dT%H:%M:%SZ", c.wall),
    '","remote":', quoted(req.remote), ',"method":', quoted(req.method),
    ',"target":', quoted(req.raw_path), ',"version":', quoted(req.version),
    ',"host":', quoted(req.host), ',"status":', tostring(c.status or 0),
    ',"bytes":', tostring(c.bytes or 0), ',"seconds":', ("%.6f"):format(elapsed(c)),
    ',"referer":', quoted(req.headers.referer),
    ',"user_agent":', quoted(req.headers["user-agent"]),
  }
  return "{" .. table.concat(fields) .. "}"
end

-- Where lines go: a function, or what has a method `write`.
local function writer(to)
  if check.callable(to) then return to end
  local file = to or io.stderr
  check.arg(type(file) == "userdata" or type(file) == "table" and file.write, 2, "AppRunner",
    "option 'access_log_to': function or file expected, got " .. type(file))
  return function(line) file:write(line, "\n") end
end

--- What writes a line after each request, and what is called before each.
---@param format boolean|string true: "combined"; "common", "json", or a format with "%"
---@param to? function|table
---@return function log
---@return function begin
function M.logger(format, to)
  check.arg(format == true or type(format) == "string", 2, "AppRunner",
    "option 'access_log': true, \"combined\", \"common\", \"json\" or a format expected")
  if format == true then format = "combined" end
  local render = format == "json" and as_json or apache(FORMATS[format] or format)
  local write = writer(to)
  local function begin(c)
    c.t0, c.wall = core.get_running_loop():time(), os.time()
    c.status, c.bytes = nil, 0
  end
  return function(c, req) write(render(c, req)) end, begin
end

return M
