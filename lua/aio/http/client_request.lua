-- SPDX-License-Identifier: MIT
--
-- From the options of a session and of a request to the bytes of its head. A request is a plain
-- table that middlewares see: session, method, url, headers (http.Headers), body. Besides: `target`
-- (of the url), `place` and `connector`, `limits`, `deadline`, `loop`, `trace`, `history`.

local hc = require "aio.http.core"
local check = require "aio.check"
local body_of = require "aio.http.body"
local cookies = require "aio.http.cookies"
local proxy = require "aio.http.proxy"
local target = require "aio.http.target"

local M = {}

local KEEP_ALIVE = hc.KEEP_ALIVE
local USER_AGENT = "aio/0.1 (Lua)"
local WITH_BODY = { POST = true, PUT = true, PATCH = true } -- say so when theirs is empty

-- ---- fields ----

local function value_text(value, key, n, name)
  if type(value) == "string" or math.type(value) == "integer" then return tostring(value) end
  check.argerror(n, name, ("option 'headers': '%s': string, integer, list of them, or false (to "
    .. "leave a default out) expected, got %s"):format(tostring(key):sub(1, 80), type(value)))
end

local function add_field(flat, left_out, key, value, n, name)
  check.arg(type(key) == "string", n, name, "option 'headers': names are strings")
  if value == false then
    left_out[key:lower()] = true
    return
  end
  for _, one in ipairs(type(value) == "table" and value or { value }) do
    flat[#flat + 1], flat[#flat + 2] = key, value_text(one, key, n, name)
  end
end

--- Fields as a flat list { name, value, ... }, and a set of the names that are to be left out.
---@param fields table a map, a list of pairs, or http.Headers
---@return table flat
---@return table<string, boolean> left_out
function M.flatten(fields, n, name)
  check.arg(type(fields) == "table" or type(fields) == "userdata", n, name,
    "option 'headers': map, list of pairs, or http.Headers expected, got " .. type(fields))
  local flat, left_out, mt = {}, {}, getmetatable(fields)
  if mt and mt.__pairs then
    for key, value in pairs(fields) do add_field(flat, left_out, key, value, n, name) end
  elseif #fields > 0 then
    for i, pair in ipairs(fields) do
      check.arg(type(pair) == "table", n, name,
        ("option 'headers': item %d: a pair { name, value } expected"):format(i))
      add_field(flat, left_out, pair[1], pair[2], n, name)
    end
  else
    local keys = {}
    for key in pairs(fields) do keys[#keys + 1] = key end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for _, key in ipairs(keys) do add_field(flat, left_out, key, fields[key], n, name) end
  end
  return flat, left_out
end

-- What decoders there are, the best first.
local function accepted()
  local list = require("aio.http.coding").codings()
  return #list > 0 and table.concat(list, ", ") or "identity"
end

-- `over` in place of those of `flat` with the same names, less those that are left out.
local function merged(flat, over, left_out)
  local taken, all = {}, {}
  for i = 1, #over, 2 do taken[over[i]:lower()] = true end
  for i = 1, #flat, 2 do
    local name = flat[i]:lower()
    if not taken[name] and not left_out[name] then
      all[#all + 1], all[#all + 2] = flat[i], flat[i + 1]
    end
  end
  return table.move(over, 1, #over, #all + 1, all)
end

--- What every request of a session says, as a flat list.
---@param headers table|nil the session's option
---@param decompress boolean
function M.defaults(headers, decompress, n, name)
  local flat = { "Accept", "*/*" }
  if decompress then flat[3], flat[4] = "Accept-Encoding", accepted() end
  flat[#flat + 1], flat[#flat + 2] = "User-Agent", USER_AGENT
  if not headers then return flat end
  return merged(flat, M.flatten(headers, n, name))
end

-- The value of a field in a flat list, and where it is.
local function field(flat, wanted)
  for i = 1, #flat, 2 do
    if flat[i]:lower() == wanted then return flat[i + 1], i end
  end
end

local function take_out(flat, wanted)
  local value, i = field(flat, wanted)
  while i do
    table.remove(flat, i)
    table.remove(flat, i)
    local _
    _, i = field(flat, wanted)
  end
  return value
end
M.field, M.take_out = field, take_out

--- The fields of a request: the session's, those of `opts.headers`, credentials, and what belongs
--- to the body. Cookies come later, they depend on the hop.
---@param session table
---@param opts table
---@return table flat a list of one's own
function M.fields(session, opts, n, name)
  local defaults = session._defaults
  local flat
  if opts.headers ~= nil then
    flat = merged(defaults, M.flatten(opts.headers, n, name))
  else
    flat = table.move(defaults, 1, #defaults, 1, {})
  end
  return flat
end

-- A Content-Length of the user's is what a body of unknown size shall have.
local function take_length(flat, body, n, name)
  local text = take_out(flat, "content-length")
  if not text then return end
  local length = text:find "^%d+$" and math.tointeger(tonumber(text))
  check.arg(length, n, name, "option 'headers': Content-Length: a number of bytes expected")
  local size = body and body.size or not body and 0 or nil
  check.arg(not size or size == length, n, name,
    ("option 'headers': Content-Length: the body has %s bytes; leave it out"):format(size or "?"))
  if body then body.size = length end
end

--- The body, with the fields that belong to it.
---@return table|nil body
function M.body(flat, opts, n, name)
  local body = body_of.of(opts, n, name)
  check.arg(not field(flat, "transfer-encoding"), n, name,
    "option 'headers': Transfer-Encoding is the library's own; leave it out")
  if body and opts.compress then
    local coding
    body, coding = body_of.compressed(body, opts.compress, n, name)
    check.arg(not field(flat, "content-encoding"), n, name,
      "option 'compress': there is a Content-Encoding among the headers already")
    flat[#flat + 1], flat[#flat + 2] = "Content-Encoding", coding
  end
  if body and opts.expect100 then flat[#flat + 1], flat[#flat + 2] = "Expect", "100-continue" end
  if field(flat, "content-length") then take_length(flat, body, n, name) end
  return body
end

-- ---- the place ----

--- Sets `place` of a request for its target.
function M.set_place(req)
  local to, how = req.target, req.how
  if not how then
    req.place = to.place
    if not req.place then
      req.place = req.connector:_place(to)
      to.place = req.place
    end
    return
  end
  local via = how.proxy
  if not via and how.trust_env then via = proxy.from_environment(to) end
  req.place = req.connector:_place(to, {
    ssl = how.ssl, server_hostname = how.server_hostname, proxy = via,
    proxy_fields = how.proxy_fields, tunnel = how.tunnel,
  })
end

-- ---- the head ----

-- Cookies of the user, in the order of the names: the same table gives the same bytes.
local function add_in_order(req, own, all)
  local named = {}
  for name, value in pairs(own) do
    check.arg(type(name) == "string" and (type(value) == "string" or type(value) == "number"),
      req.n, req.fn, "option 'cookies': a map of names to strings expected")
    named[#named + 1] = { name = name, value = tostring(value) }
  end
  table.sort(named, function(a, b) return a.name < b.name end)
  table.move(named, 1, #named, #all + 1, all)
end

local function cookie_header(req)
  local jar = req.session.cookie_jar
  local list
  if jar._count ~= 0 then list = jar:filter_cookies(M.url_of(req.target)) end
  local own = req.cookies
  if own then
    local all = {}
    for _, cookie in ipairs(list or {}) do
      if own[cookie.name] == nil then all[#all + 1] = cookie end
    end
    add_in_order(req, own, all)
    list = all
  end
  if not list or #list == 0 then return nil end
  return cookies.header(list, req.n, req.fn)
end

--- The http.URL of a target.
function M.url_of(to)
  to.url = to.url or target.url(to.text)
  return to.url
end

local function request_target(req)
  local to = req.target
  if not req.place.forward then return to.path end
  return ("http://%s%s"):format(to.host_field, to.path)
end

-- The fields as a flat list of one's own, whatever middlewares have made of them.
local function flat_fields(req)
  local fields, flat = req.headers, {}
  if not req.shown then return table.move(fields, 1, #fields, 1, flat) end
  for name, value in pairs(fields) do flat[#flat + 1], flat[#flat + 2] = name, value end
  return flat
end

-- The fields with what this hop adds to them.
local function hop_fields(req)
  local cookie, forward = cookie_header(req), req.place.forward
  local credentials = req.auth
  if not cookie and not forward and not credentials and not req.shown then return req.headers end
  local all = flat_fields(req)
  if credentials and not field(all, "authorization") then
    all[#all + 1], all[#all + 2] = "Authorization", credentials
  end
  if cookie then
    local given = take_out(all, "cookie")
    all[#all + 1], all[#all + 2] = "Cookie", given and given .. "; " .. cookie or cookie
  end
  return forward and table.move(forward, 1, #forward, #all + 1, all) or all
end

local function length_of(req)
  local body = req.body
  if body then return body.size or -1 end
  return WITH_BODY[req.method] and 0 or nil
end

local function refuse(req, why)
  if type(why) == "string" and why ~= "not enough memory" then
    check.argerror(req.n, req.fn, why)
  end
  error(why, 0)
end

-- The heads to a target that say nothing but what all requests of the session say; nil for a method
-- that would say more.
local function heads_of(req)
  local to = req.target
  if WITH_BODY[req.method] or req.body or req.close ~= req.session._closes then return nil end
  to.heads = to.heads or {}
  return to.heads
end

--- Sets `head`, the bytes of the request's head. What cannot stand in one raises as a wrong
--- argument.
function M.set_head(req)
  local fields, body = hop_fields(req), req.body
  local heads = fields == req.session._defaults and not req.place.forward and heads_of(req)
  if heads and heads[req.method] then
    req.head = heads[req.method]
    return
  end
  local host = not field(fields, "host") and req.target.host_field or nil
  local kind = body and not field(fields, "content-type") and body.type or nil
  local ok, head = pcall(hc.request_head, req.method, request_target(req), host, fields, kind,
    length_of(req), req.close and 0 or KEEP_ALIVE)
  if not ok then refuse(req, head) end
  if heads then heads[req.method] = head end
  req.head = head
end

return M
