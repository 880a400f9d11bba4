-- SPDX-License-Identifier: MIT
--
-- TLS: contexts from their options, the handshake of a stream, and what is said when it fails. The
-- work is in a library of its own (src/tls), loaded with this file, when TLS is first used.

local core = require "aio.core"
local check = require "aio.check"
local address = require "aio.address"

local M = {}

local HANDSHAKE_SECONDS, SHUTDOWN_SECONDS = 60, 30

local function load_library()
  local ok, tls = pcall(require, "aio.tls")
  if ok then return tls end
  error(core.RuntimeError("TLS needs the library aio/tls.so (built with OpenSSL 3, in LuaRocks the "
    .. "rock aio-tls), which cannot be loaded: " .. tostring(tls)), 0)
end

local tls = load_library()

-- ---- contexts ----

local OPTIONS = {
  cert = "string", key = "string", password = "string", ca = "string", client_ca = "string",
  verify = true, alpn = "table", ciphers = "string", min_version = "string",
  max_version = "string", session_cache = "boolean", sni = true,
}

local VERSIONS = { ["TLSv1.2"] = true, ["TLSv1.3"] = true }

local function option_error(option, text)
  core._argerror(1, "ssl_context", ("option '%s': %s"):format(option, text))
end

-- Codes of the system, which are the same everywhere.
local CODES = { [2] = "ENOENT", [13] = "EACCES", [21] = "EISDIR" }

-- The text of an option that is a path or text in PEM form already; nil and the path when that is a
-- folder, which only `ca` may be: what is not read would be left out without a word.
local function pem(opts, option)
  local value = opts[option]
  if value == nil or value:find("-----BEGIN", 1, true) then return value end
  local file, message, errno = io.open(value, "rb")
  local text
  if file then
    text, message, errno = file:read("a")
    file:close()
  end
  if text then return text end
  if CODES[errno] == "EISDIR" then
    if option == "ca" then return nil, value end
    message = value .. " is a folder; a file in PEM form expected"
  end
  error(core.OSError(("cannot read option '%s': %s"):format(option, message),
    { code = CODES[errno], errno = errno, filename = value }), 0)
end

local function alpn_wire(list)
  if list == nil then return nil end
  local wire = {}
  for i, name in ipairs(list) do
    if type(name) ~= "string" or #name < 1 or #name > 255 then
      option_error("alpn", ("names of 1 to 255 bytes expected, item %d is %s"):format(i,
        type(name) == "string" and "too long or empty" or "a " .. type(name)))
    end
    wire[i] = string.pack("s1", name)
  end
  if #wire == 0 then option_error("alpn", "at least one name expected") end
  return table.concat(wire)
end

-- OpenSSL wants the names of TLS 1.3 apart from the others.
local function split_ciphers(text)
  if text == nil then return nil, nil end
  local old, new = {}, {}
  for name in text:gmatch("[^:%s,]+") do
    local list = name:find("^TLS_") and new or old
    list[#list + 1] = name
  end
  return #old > 0 and table.concat(old, ":") or nil, #new > 0 and table.concat(new, ":") or nil
end

local function check_context_options(opts)
  for _, option in ipairs { "min_version", "max_version" } do
    if opts[option] ~= nil and not VERSIONS[opts[option]] then
      option_error(option, "\"TLSv1.2\" or \"TLSv1.3\" expected; older versions are not safe")
    end
  end
  if opts.min_version == "TLSv1.3" and opts.max_version == "TLSv1.2" then
    option_error("max_version", "not below 'min_version'")
  end
  local verify = opts.verify
  if verify ~= nil and type(verify) ~= "boolean" and verify ~= "optional" then
    option_error("verify", "true, false, or \"optional\" for a server's clients, expected")
  end
  if opts.sni ~= nil and not check.callable(opts.sni) then
    option_error("sni", "function of a name expected, got " .. type(opts.sni))
  end
  if opts.key and not opts.cert then option_error("key", "a key needs option 'cert'") end
end

local HINTS = {
  cert = "a certificate in PEM form, then those who vouch for it, expected",
  key = "the private key of 'cert' in PEM form expected; 'password' opens one that is encrypted",
  ca = "certificates in PEM form, or a folder of such, expected",
  client_ca = "certificates in PEM form expected",
  ciphers = "names as OpenSSL knows them, with ':' between, expected",
}

-- What to do about an option that OpenSSL has refused; `key` is the text of the key.
local function remedy(option, opts, key)
  if option == "key" and not key:find("PRIVATE KEY", 1, true) then
    return opts.key and "there is no private key in PEM form in it"
      or "there is none in 'cert': name its file by option 'key'"
  end
  return HINTS[option] or "see OpenSSL"
end

--- Makes a context. See aio.ssl_context.
function M.context(opts)
  opts = check.options(opts, OPTIONS, 1, "ssl_context")
  check_context_options(opts)
  local ca, ca_dir = pem(opts, "ca")
  local cert, key, client_ca = pem(opts, "cert"), pem(opts, "key"), pem(opts, "client_ca")
  local old, new = split_ciphers(opts.ciphers)
  local ctx, failed, why = tls._context(cert, key, opts.password, ca, ca_dir, client_ca,
    opts.verify, alpn_wire(opts.alpn), old, new, opts.min_version or "TLSv1.2", opts.max_version,
    opts.session_cache ~= false, opts.sni)
  if ctx then return ctx end
  error(core.SSLError(("option '%s' of ssl_context cannot be used: %s (%s)"):format(failed, why,
    remedy(failed, opts, key or cert)), { code = "SSL_ERROR", reason = why, option = failed }), 0)
end

local default

-- What stands for `ssl = true`: a client's context that trusts whom the system trusts.
local function default_context()
  default = default or M.context()
  return default
end

-- ---- what is wanted of one connection ----

local Settings = {}
Settings.__index = Settings

local function check_time(opts, option, unset, n, name)
  local seconds = opts[option]
  check.seconds(seconds, n, name)
  check.arg(seconds == nil or seconds > 0, n, name,
    ("option '%s': a positive number of seconds expected"):format(option))
  return seconds or unset
end

local function context_of(value, n, name, server)
  if value == true and not server then return default_context() end
  check.arg(value ~= true, n, name,
    "ssl: a server needs a context with its certificate, aio.ssl_context{ cert=, key= }")
  local ok, sni, verify, cert = pcall(tls._facts, value)
  check.arg(ok, n, name, "ssl: true or an aio.ssl_context expected, got " .. type(value))
  check.arg(not server or cert or sni, n, name,
    "ssl: the context of a server needs the options 'cert' and 'key'")
  return value, verify, sni
end

--- Checks the options of TLS of a function that opens streams.
---@return table settings
function M.settings(opts, n, name, server)
  local ctx, verify, sni = context_of(opts.ssl, n, name, server)
  if opts.ssl == true then verify = true end
  return setmetatable({
    ctx = ctx, verify = verify, sni = sni, server = server, n = n, fn = name,
    hostname = opts.server_hostname,
    handshake = check_time(opts, "ssl_handshake_timeout", HANDSHAKE_SECONDS, n, name),
    shutdown = check_time(opts, "ssl_shutdown_timeout", SHUTDOWN_SECONDS, n, name),
  }, Settings)
end

--- Says which name the server's certificate has to have, and who the peer is.
---@param host string|nil the name that was connected to
---@param peer string for messages, and to find a session to resume
function Settings:towards(host, peer)
  local name = self.hostname or host
  check.arg(name or not self.verify, self.n, self.fn,
    "option 'server_hostname': the name in the server's certificate expected (or a context with "
      .. "verify = false)")
  check.arg(not name or (name ~= "" and not name:find("\0", 1, true)), self.n, self.fn,
    "option 'server_hostname': a name or an address expected")
  self.name = name and name:gsub("%.$", "")
  self.key = ("%s %s"):format(self.name or "", peer)
  self.peer = peer
  return self
end

-- ---- what is said when it fails ----

-- Reasons for which the peer may not speak TLS at all.
local FOREIGN = {
  ["wrong version number"] = true, ["http request"] = true, ["https proxy request"] = true,
  ["packet length too long"] = true, ["record layer failure"] = true,
  ["unexpected message"] = true, ["length too short"] = true, ["bad record type"] = true,
}

local HOST_CHECKS = { [62] = true, [63] = true, [64] = true } -- host, e-mail, address

local function names_in(cert)
  local names = {}
  for i, alternative in ipairs(cert.subjectAltName) do
    names[i] = alternative[2]
  end
  return #names > 0 and table.concat(names, ", ") or "no name at all"
end

local function who_is(cert)
  return cert.subject.commonName or cert.subject.organizationName or "no name"
end

-- What was wrong with which certificate.
local function certificate_message(check_failed, text, depth, cert)
  if not cert then return text end
  if HOST_CHECKS[check_failed] then
    return ("%s: the certificate is for %s"):format(text, names_in(cert))
  end
  local detail = ""
  if text:find("expired", 1, true) then detail = " on " .. cert.notAfter end
  if text:find("not yet valid", 1, true) then detail = " before " .. cert.notBefore end
  return ("%s%s (%s '%s', issued by '%s')"):format(text, detail,
    depth == 0 and "certificate of" or "in the chain, certificate of", who_is(cert),
    who_is { subject = cert.issuer })
end

local function peer_of(conn, settings)
  if settings.peer then return settings.peer end
  local peer = conn:get_extra_info "peername"
  return peer and peer ~= "" and address.format(peer) or "the peer"
end

-- The error of a handshake that failed for a reason of TLS.
local function handshake_error(connection, settings, peer)
  local reason, check_failed, text, depth, cert = tls._failure(connection)
  local expected = settings.name
  if check_failed and reason == "certificate verify failed" then
    local message = certificate_message(check_failed, text, depth, cert)
    return core.SSLCertVerificationError(("certificate of %s refused%s: %s"):format(peer,
      expected and (" for '%s'"):format(expected) or "", message), {
      code = "SSL_CERT_VERIFICATION", reason = reason, verify_code = check_failed,
      verify_message = text, hostname = expected, depth = depth,
    })
  end
  local hint = FOREIGN[reason] and " (does the peer speak TLS here?)" or ""
  return core.SSLError(("TLS handshake with %s failed: %s%s"):format(peer, reason or "unknown",
    hint), { code = "SSL_ERROR", reason = reason })
end

local function failed(connection, settings, peer, err)
  if not err then return handshake_error(connection, settings, peer) end
  if err.code == "ETIMEDOUT" then
    return core.TimeoutError(("TLS handshake with %s took longer than %g s"):format(peer,
      settings.handshake))
  end
  err.message = ("TLS handshake with %s failed: %s"):format(peer, err.message)
  return err
end

-- ---- the handshake ----

-- Answers the question of a server's handshake. False when there is none: then its own handshake is
-- over, and another task has begun TLS above it before this one could go on.
local function answer(connection, conn, settings)
  local asks, name = tls._asked(connection)
  if not asks then return false end
  local ctx = settings.sni(name, conn)
  if ctx ~= nil and not pcall(tls._facts, ctx) then
    error(core.RuntimeError("the function 'sni' of an ssl_context returns a context, or nil for "
      .. "the one that it belongs to; it returned a " .. type(ctx)), 0)
  end
  tls._answer(connection, ctx)
  return true
end

local function shake_hands(conn, connection, settings, peer)
  local ok, err
  repeat
    ok, err = core._connected(conn)
    if ok == nil and not answer(connection, conn, settings) then ok = connection.version ~= nil end
  until ok ~= nil
  if not ok then error(failed(connection, settings, peer, err), 0) end
end

--- Makes TLS of a stream by these settings: the handshake. [suspends] When it fails, or the task is
--- cancelled, the stream is closed; not when it is not in a state for it.
function M.start(conn, settings)
  local peer = peer_of(conn, settings)
  local name = settings.name
  local sni = name and not core._numeric(name, 0) and name or nil
  local connection = tls._connection(settings.ctx, settings.server, settings.verify and name or nil,
    sni, settings.key, settings.handshake, settings.shutdown)
  core._filter(conn, connection)
  local ok, err = pcall(shake_hands, conn, connection, settings, peer)
  if ok then return end
  conn:abort()
  error(err, 0)
end

function Settings:start(conn) M.start(conn, self) end

local START_OPTIONS = {
  server_hostname = "string", server_side = "boolean", ssl_handshake_timeout = "number",
  ssl_shutdown_timeout = "number",
}

--- What start_tls wants of a stream, checked; `ctx` is argument `n`.
function M.start_settings(conn, ctx, opts, n)
  local accepted = core._accepted(conn)
  opts = check.options(opts, START_OPTIONS, n + 1, "start_tls")
  local server = opts.server_side
  if server == nil then server = accepted end
  local all = setmetatable({ ssl = ctx }, { __index = opts })
  local settings = M.settings(all, n, "start_tls", server)
  settings.peer = peer_of(conn, settings)
  if not server then settings:towards(nil, settings.peer) end
  return settings
end

--- See Stream:start_tls.
function M.start_tls(conn, ctx, opts) M.start(conn, M.start_settings(conn, ctx, opts, 1)) end

return M
