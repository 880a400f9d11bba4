-- SPDX-License-Identifier: MIT
--
-- Digest authentication of a client (RFC 7616; without `qop` RFC 2069): a middleware that answers a
-- server's challenge, and then says who asks with each request, as long as the server's nonce is
-- good. The password itself is never sent, and nothing at all to another origin than its own.

local core = require "aio.core"
local check = require "aio.check"
local unquoted = require("aio.http.value").unquoted

local M = {}

-- Names of algorithms to those of OpenSSL.
local ALGORITHMS = { md5 = "md5", ["sha-256"] = "sha256", ["sha-512-256"] = "sha512-256" }

local function hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- In hexadecimal digits; nil when OpenSSL has none of that name.
local function digest(name, text)
  local ok, tls = pcall(require, "aio.tls")
  if not ok then
    error(core.RuntimeError("digest authentication needs the library aio/tls.so (built with "
      .. "OpenSSL 3, in LuaRocks the rock aio-tls), which cannot be loaded: " .. tostring(tls)), 0)
  end
  local bytes = tls._digest(name, text)
  return bytes and hex(bytes)
end

-- ---- what the server asks for ----

-- One parameter at `at`: name, value and the place behind it; nil when there is none.
local function parameter(text, at)
  local name, from = text:match("^([^%s,=\"]+)%s*=%s*()", at)
  if not name then return nil end
  if text:byte(from) == 34 then return name:lower(), unquoted(text, from + 1) end
  return name:lower(), text:match("^([^%s,\"]*)()", from)
end

--- The challenges of the fields WWW-Authenticate, in their order: lists of parameters with the
--- `scheme`, in lower case.
---@param text string the fields, joined by commas
---@return table
function M.challenges(text)
  local list, at = {}, 1
  while true do
    at = text:match("^[%s,]*()", at)
    if at > #text then return list end
    local name, value, behind = parameter(text, at)
    local current = list[#list]
    if name then
      if current then current[name] = current[name] or value end
    else
      local scheme
      scheme, behind = text:match("^([^%s,=\"]+)()", at)
      if scheme then list[#list + 1] = { scheme = scheme:lower() } end
      behind = behind or at + 1
    end
    at = math.max(behind, at + 1)
  end
end

local function has_auth(qop)
  for word in (qop or "auth"):gmatch "[^%s,]+" do
    if word:lower() == "auth" then return true end
  end
  return false
end

-- Can it be answered? Then by which hash, and is that of a session (-sess, which needs a qop)?
local function method_of(found)
  if found.scheme ~= "digest" or not found.realm or not found.nonce then return nil end
  local name = (found.algorithm or "MD5"):lower()
  local base = name:gsub("%-sess$", "")
  local hash, sess = ALGORITHMS[base], base ~= name
  if not hash or not has_auth(found.qop) or sess and not found.qop then return nil end
  return digest(hash, "") and hash, sess
end

-- The first challenge that can be answered, or nil.
local function chosen(res)
  local fields = res.headers:get_all "www-authenticate"
  for _, found in ipairs(M.challenges(table.concat(fields, ", "))) do
    local hash, sess = method_of(found)
    if hash then
      found.hash, found.sess, found.count = hash, sess, 0
      found.cnonce = hex(core._random(16))
      return found
    end
  end
end

-- ---- the answer ----

--- What proves that the password is known.
---@param asked table a challenge: realm, nonce, qop, hash, sess, cnonce
---@param nc string the count, eight digits
---@return string
function M._response(asked, user, password, method, uri, nc)
  local function hash(...) return digest(asked.hash, table.concat({ ... }, ":")) end
  local secret = hash(user, asked.realm, password)
  if asked.sess then secret = hash(secret, asked.nonce, asked.cnonce) end
  local what = hash(method, uri)
  if not asked.qop then return hash(secret, asked.nonce, what) end
  return hash(secret, asked.nonce, nc, asked.cnonce, "auth", what)
end

local function quoted(text) return '"' .. text:gsub('[\\"]', "\\%0") .. '"' end

-- The value of Authorization for one request.
local function credentials(self, asked, method, uri)
  asked.count = asked.count + 1
  local nc, user = ("%08x"):format(asked.count), self.user
  local hashed = (asked.userhash or ""):lower() == "true"
  if hashed then user = digest(asked.hash, user .. ":" .. asked.realm) end
  local parts = { "username=" .. quoted(user), "realm=" .. quoted(asked.realm),
    "nonce=" .. quoted(asked.nonce), "uri=" .. quoted(uri),
    "response=" .. quoted(M._response(asked, self.user, self.password, method, uri, nc)) }
  if asked.algorithm then parts[#parts + 1] = "algorithm=" .. asked.algorithm end
  if asked.opaque then parts[#parts + 1] = "opaque=" .. quoted(asked.opaque) end
  if asked.qop then
    parts[#parts + 1] = ("qop=auth, nc=%s, cnonce=%s"):format(nc, quoted(asked.cnonce))
  end
  if hashed then parts[#parts + 1] = "userhash=true" end
  return "Digest " .. table.concat(parts, ", ")
end

-- ---- the middleware ----

local function url_of(req) return require("aio.http.url").URL(tostring(req.url)) end

local function sign(self, req)
  local target = url_of(req).target
  req.headers["Authorization"] = credentials(self, self.asked, req.method, target)
end

-- May the credentials go where this request goes?
local function is_ours(self, req)
  local origin = tostring(url_of(req):origin())
  self.origin = self.origin or origin
  return self.origin == origin
end

local function handle(self, req, next)
  if req.headers:has "Authorization" or not is_ours(self, req) then return next(req) end
  local used = self.asked
  if used then sign(self, req) end
  local res = next(req)
  if res.status ~= 401 then return res end
  local asked = chosen(res)
  -- the same question again: the answer was wrong, unless another task has met a newer one
  local refused = used and asked and (asked.stale or ""):lower() ~= "true"
    and asked.nonce == used.nonce
  if not asked or refused or req.body and not req.body.again then return res end
  self.asked = asked
  res:release()
  sign(self, req)
  return next(req)
end

local OPTIONS = { origin = "string" }

--- A middleware for ClientSession{middlewares=} that answers the challenges of one origin (RFC
--- 7616: MD5, SHA-256 and SHA-512-256, also with -sess; qop "auth").
---@param user string without a colon
---@param password string
---@param opts? table origin ("https://example.test": the only one that gets credentials; unset:
---  that of the first request)
---@return function middleware
function M.DigestAuth(user, password, opts)
  check.arg(type(user) == "string" and not user:find "[:%c]", 1, "DigestAuth",
    "name of a user expected: a string without ':' and controls")
  check.arg(type(password) == "string", 2, "DigestAuth",
    "password expected: a string, got " .. type(password))
  opts = check.options(opts, OPTIONS, 3, "DigestAuth")
  local self = { user = user, password = password }
  if opts.origin then
    local ok, url = pcall(require("aio.http.url").URL, opts.origin)
    check.arg(ok, 3, "DigestAuth",
      "option 'origin': a URL like \"https://example.test\" expected")
    self.origin = tostring(url:origin())
  end
  return function(req, next) return handle(self, req, next) end
end

return M
