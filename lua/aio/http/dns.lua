-- SPDX-License-Identifier: MIT
--
-- Look-ups of a connector: remembered for some seconds, and those who ask for the same name at the
-- same time wait for one look-up. It goes on while anybody waits for it.

local core = require "aio.core"
local address = require "aio.address"
local check = require "aio.check"
local job = require "aio.job"
local many = require "aio.many"

local M = {}

local MOST = 1000 -- names that are remembered

local Cache = {}
Cache.__index = Cache

--- A cache.
---@param resolver? function|table function(host, port, family), or an object with a method
---  `resolve` that takes the same, that returns a list of { host=, port=, family= }
---@param ttl number seconds that an answer is remembered; 0: none is
---@return table cache
function M.new(resolver, ttl)
  local resolve = address.resolve
  if resolver and check.callable(resolver) then
    resolve = resolver
  elseif resolver then
    resolve = function(...) return resolver:resolve(...) end
  end
  return setmetatable({ _resolve = resolve, _ttl = ttl, _known = {}, _n = 0, _asked = {} }, Cache)
end

-- What a resolver of the user's returns is checked: it is about to be connected to.
local function checked(list, host, port)
  local found = {}
  for i, a in ipairs(type(list) == "table" and list or {}) do
    local numeric = type(a) == "table" and core._numeric(a.host or a[1], a.port or a[2] or port)
    if not numeric then
      error(core.RuntimeError(("resolver: entry %d for %s is no { host=, port= } with an address "
        .. "in digits"):format(i, host)), 0)
    end
    found[i] = numeric
  end
  if #found == 0 then
    error(core.OSError(("cannot look up %s: the resolver knows no address"):format(host),
      { code = "EAI_NONAME", syscall = "getaddrinfo" }), 0)
  end
  return found
end

local function look_up(self, host, port, family)
  return checked(self._resolve(host, port, family), host, port)
end

local function remember(self, key, list)
  if self._ttl <= 0 then return end
  if self._n >= MOST then self._known, self._n = {}, 0 end
  self._known[key] = { list = list, till = core.get_running_loop():time() + self._ttl }
  self._n = self._n + 1
end

local function recall(self, key)
  local entry = self._known[key]
  if entry and entry.till > core.get_running_loop():time() then return entry.list end
  if entry then self._known[key], self._n = nil, self._n - 1 end
  return nil
end

-- Waits for the look-up of the key, which is begun if nobody else has. [suspends]
local function ask(self, key, host, port, family)
  local asked = self._asked[key]
  if not asked then
    asked = { n = 0, task = core.create_task(look_up, self, host, port, family) }
    self._asked[key] = asked
  end
  asked.n = asked.n + 1
  local answer = job.shield(asked.task)
  local ok, list = pcall(answer.await, answer)
  core._retrieved(answer) -- cancelled as the look-up failed, it has not seen that error
  asked.n = asked.n - 1
  if asked.n == 0 then
    if self._asked[key] == asked then self._asked[key] = nil end
    many.reap { asked.task }
  end
  if not ok then error(list, 0) end
  return list
end

--- The addresses of a host. [suspends] Raises OSError whose code is "EAI_...".
---@param host string
---@param port integer
---@param family? string
---@param trace? fun(moment: string, facts: table)
---@return table list of { host=, port=, family= }
function Cache:resolve(host, port, family, trace)
  local numeric = core._numeric(host, port)
  if numeric and (family == nil or numeric.family == family) then return { numeric } end
  local key = ("%s|%d|%s"):format(host, port, family or "")
  local list = recall(self, key)
  if trace then trace(list and "dns_cache_hit" or "dns_cache_miss", { host = host }) end
  if list then return list end
  if trace then trace("dns_resolvehost_start", { host = host }) end
  list = ask(self, key, host, port, family)
  if trace then trace("dns_resolvehost_end", { host = host }) end
  if not recall(self, key) then remember(self, key, list) end
  return list
end

--- Forgets what is remembered: of one host, or all.
---@param host? string
---@param port? integer
function Cache:clear(host, port)
  for key in pairs(self._known) do
    if not host or key:find(("%s|%s"):format(host, port and port .. "|" or ""), 1, true) == 1 then
      self._known[key], self._n = nil, self._n - 1
    end
  end
end

return M
