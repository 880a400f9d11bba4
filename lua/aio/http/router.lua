-- SPDX-License-Identifier: MIT
--
-- From method and path to a route. A router is compiled once from a list of routes: a table for
-- paths without parameters, and a tree of segments for the others. Pure: knows no connection.

local check = require "aio.check"

local M = {}

local byte, char, find, gsub, match, sub = string.byte, string.char, string.find, string.gsub,
  string.match, string.sub

-- ---- percent-encoding, as far as paths need it ----

local function from_hex(digits) return char(tonumber(digits, 16)) end

--- A part of a path without percent-encoding; what is malformed stays as it is.
---@param s string
---@return string
function M.decode(s)
  if not find(s, "%", 1, true) then return s end
  return (gsub(s, "%%(%x%x)", from_hex))
end

-- What may stand in a segment as it is: RFC 3986's pchar.
local UNSAFE = "[^%w%-%._~!$&'()*+,;=:@]"

local function to_hex(c) return ("%%%02X"):format(byte(c)) end

--- A segment of a path with everything encoded that cannot stand there.
---@param s string
---@return string
function M.encode_segment(s)
  s = gsub(s, UNSAFE, to_hex)
  -- a segment of dots would be taken for a way up
  if s == "." or s == ".." then s = gsub(s, "%.", "%%2E") end
  return s
end

local decode = M.decode

-- ---- what a path of a route says ----

-- The end of `{...}` that begins at `at`: braces inside may be paired or escaped.
local function closing(path, at)
  local depth, i = 0, at
  while i <= #path do
    local c = sub(path, i, i)
    if c == "%" then
      i = i + 1
    elseif c == "{" then
      depth = depth + 1
    elseif c == "}" then
      depth = depth - 1
      if depth == 0 then return i end
    end
    i = i + 1
  end
end

-- A user's pattern has no captures: it becomes one itself. Returns what is wrong with it.
local function refuse_pattern(pattern)
  local plain = gsub(gsub(pattern, "%%.", ""), "%[%^?%]?[^%]]*%]", "")
  if find(plain, "[()]") then return "captures cannot stand in it; write %( and %) for brackets" end
  if find(plain, "^%^") or find(plain, "%$$") then return "it is anchored already" end
  if pattern == "" then return "it is empty" end
  if find(plain, "\\%a") then return "it is a pattern of Lua: %d, not \\d" end
  local ok, err = pcall(find, "", pattern)
  return not ok and (gsub(err, "^.-:%d+: ", "")) or nil
end

--- Takes the path of a route apart: a list of pieces, strings and { name=, pattern= }.
--- Returns nil and what is wrong when it cannot be one.
---@param path string
---@return table|nil pieces
---@return string|nil why
function M.parse(path)
  if sub(path, 1, 1) ~= "/" then return nil, "a path begins with /" end
  if find(path, "[%c?# ]") and not find(path, "{", 1, true) then
    return nil, "a path has no blanks, control characters, ? or #"
  end
  local pieces, names, at = {}, {}, 1
  while at <= #path do
    local open = find(path, "[{}]", at)
    if not open or open > at then
      pieces[#pieces + 1] = sub(path, at, (open or #path + 1) - 1)
    end
    if not open then break end
    local close = sub(path, open, open) == "{" and closing(path, open)
    if not close then return nil, "a brace has no partner" end
    local name, colon, pattern = match(sub(path, open + 1, close - 1), "^([%a_][%w_]*)(:?)(.*)$")
    local bare = colon == ""
    if not name or bare and pattern ~= "" then
      return nil, "a parameter is {name} or {name:pattern}"
    end
    local why = not bare and refuse_pattern(pattern)
    if why then return nil, ("pattern of '%s': %s"):format(name, why) end
    if names[name] then return nil, ("the name '%s' stands twice"):format(name) end
    names[name] = true
    pieces[#pieces + 1] = { name = name, pattern = not bare and pattern or nil }
    at = close + 1
  end
  return pieces
end

-- The pieces cut at slashes: a list of segments, each a string or a list of pieces.
local function segments_of(pieces)
  local segments, current = {}, nil
  local function add(piece)
    current[#current + 1] = piece
  end
  for _, piece in ipairs(pieces) do
    if type(piece) ~= "string" then
      add(piece)
    else
      local first = true
      for text in (piece .. "/"):gmatch "([^/]*)/" do
        if not first or not current then
          current = {}
          segments[#segments + 1] = current
        end
        first = false
        if text ~= "" then add(text) end
      end
    end
  end
  table.remove(segments, 1) -- what is before the first slash
  return segments
end

local function escape(text) return (gsub(text, "%p", "%%%0")) end

-- A segment as a literal, or as an anchored Lua pattern with the names of its captures. What is
-- matched is decoded, so a parameter without a pattern of the user's may hold a slash (%2F).
local function compile(segment)
  if #segment == 0 then return "" end
  if #segment == 1 and type(segment[1]) == "string" then return decode(segment[1]) end
  local users = false
  for _, piece in ipairs(segment) do users = users or type(piece) == "table" and piece.pattern end
  local parts, names = { "^" }, {}
  for _, piece in ipairs(segment) do
    if type(piece) == "string" then
      parts[#parts + 1] = escape(decode(piece))
    else
      names[#names + 1] = piece.name
      parts[#parts + 1] = "(" .. (piece.pattern or users and "[^/]+" or ".+") .. ")"
    end
  end
  parts[#parts + 1] = "$"
  return { pattern = table.concat(parts), names = names, users = users }
end

-- ---- the tree ----

-- A node: `words` (segment -> node), `patterns` (list of { pattern, names, node or rest = by_method
-- }), `methods` (method -> route) of the routes that end here.
local function node() return { words = {}, patterns = {} } end

local function child(at, segment)
  if type(segment) == "string" then
    at.words[segment] = at.words[segment] or node()
    return at.words[segment]
  end
  for _, known in ipairs(at.patterns) do
    if known.pattern == segment.pattern and known.node
      and table.concat(known.names, "/") == table.concat(segment.names, "/") then
      return known.node
    end
  end
  local entry = { pattern = segment.pattern, names = segment.names, node = node() }
  at.patterns[#at.patterns + 1] = entry
  return entry.node
end

-- The last segment may match the whole rest of a path when it has a pattern of the user's.
local function add_rest(at, segment, route)
  for _, known in ipairs(at.patterns) do
    if known.pattern == segment.pattern and known.rest
      and table.concat(known.names, "/") == table.concat(segment.names, "/") then
      known.rest[route.method] = known.rest[route.method] or route
      return
    end
  end
  at.patterns[#at.patterns + 1] = {
    pattern = segment.pattern, names = segment.names, rest = { [route.method] = route },
  }
end

local function add(root, route, segments)
  local at = root
  for i, raw in ipairs(segments) do
    local segment = compile(raw)
    if i == #segments and type(segment) == "table" and segment.users then
      add_rest(at, segment, route)
      return
    end
    at = child(at, segment)
  end
  at.methods = at.methods or {}
  at.methods[route.method] = at.methods[route.method] or route
end

local Router = { __name = "Router" }
Router.__index = Router

--- Compiles routes: { method=, path=, pieces=, ... }; of two that match the same the first counts.
--- A route for GET answers HEAD too, one for "*" every method that has no route of its own.
---@param routes table list
---@return table Router
function M.compile(routes)
  local self = setmetatable({ static = {}, _root = node() }, Router)
  for _, route in ipairs(routes) do
    local segments = segments_of(route.pieces)
    add(self._root, route, segments)
    if #route.pieces == 1 and type(route.pieces[1]) == "string"
      and not find(route.path, "%", 1, true) then
      local methods = self.static[route.path] or {}
      self.static[route.path] = methods
      methods[route.method] = methods[route.method] or route
    end
  end
  for _, methods in pairs(self.static) do
    methods.HEAD = methods.HEAD or methods.GET
  end
  return self
end

-- ---- looking up ----

local function of_method(methods, method, allowed)
  local route = methods[method] or (method == "HEAD" and methods.GET) or methods["*"]
  if route then return route end
  for name in pairs(methods) do allowed[name] = true end
  return nil
end

local function captured(names, values)
  local info = {}
  for i, name in ipairs(names) do info[name] = values[i] end
  return info
end

-- The decoded rest of a path from segment `i` on.
local function rest_of(parts, i) return table.concat(parts, "/", i) end

local walk

local function try_pattern(entry, look, i)
  local rest = entry.rest
  local text = rest and rest_of(look.parts, i) or look.parts[i]
  local values = table.pack(match(text, entry.pattern))
  if values[1] == nil then return nil end
  local route, info
  if rest then
    route, info = of_method(rest, look.method, look.allowed), {}
  else
    route, info = walk(entry.node, look, i + 1)
  end
  if not route then return nil end
  for name, value in pairs(captured(entry.names, values)) do info[name] = value end
  return route, info
end

-- The route below `at` for the parts from `i` on, and its parameters.
function walk(at, look, i)
  if i > look.n then
    if not at.methods then return nil end
    local route = of_method(at.methods, look.method, look.allowed)
    return route, route and {}
  end
  local word = at.words[look.parts[i]]
  if word then
    local route, info = walk(word, look, i + 1)
    if route then return route, info end
  end
  for _, entry in ipairs(at.patterns) do
    local route, info = try_pattern(entry, look, i)
    if route then return route, info end
  end
end

--- The methods that a path has when it has not the one asked for: { GET = true, ... }.
local function sorted(allowed)
  if allowed.GET then allowed.HEAD = true end
  local list = {}
  for name in pairs(allowed) do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- The route for a method and a path as it stands in the request line (without the query), and its
--- parameters, decoded. Nil, and a list of methods when other methods would have a route.
---@param method string
---@param path string
---@return table|nil route
---@return table|nil parameters, or the methods allowed
function Router:find(method, path)
  local methods = self.static[path]
  local route = methods and methods[method]
  if route then return route end
  if byte(path) ~= 47 then return nil end -- "*", an authority
  local parts, n = {}, 0
  for part in (path .. "/"):gmatch("([^/]*)/", 2) do
    n = n + 1
    parts[n] = decode(part)
  end
  local look = { method = method, parts = parts, n = n, allowed = {} }
  local info
  route, info = walk(self._root, look, 1)
  if route then return route, info end
  if next(look.allowed) == nil then return nil end
  return nil, sorted(look.allowed)
end

--- The path of a route with its parameters put in, encoded.
---@param route table
---@param params table|nil
---@param name string of the function to blame
---@return string
function M.build(route, params, name)
  local parts = {}
  for i, piece in ipairs(route.pieces) do
    if type(piece) == "string" then
      parts[i] = piece
    else
      local value = params and params[piece.name]
      check.arg(value ~= nil, 2, name, ("the parameter '%s' is missing"):format(piece.name))
      value = tostring(value)
      check.arg(value ~= "", 2, name, ("the parameter '%s' is empty"):format(piece.name))
      if piece.pattern then
        check.arg(match(value, "^" .. piece.pattern .. "$"), 2, name,
          ("the parameter '%s' does not match '%s'"):format(piece.name, piece.pattern))
        parts[i] = gsub(value, "[^/]+", M.encode_segment)
      else
        parts[i] = M.encode_segment(value)
      end
    end
  end
  return table.concat(parts)
end

return M
