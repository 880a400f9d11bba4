-- SPDX-License-Identifier: MIT
--
-- The sixteen moments of a request that a session can be told to report (aiohttp's TraceConfig): a
-- table of functions fn(ctx, facts), of which each gets what belongs to its moment.

local check = require "aio.check"

local M = {}

-- Moments that `trace` may name, with what their `facts` hold beside `method` and `url`.
local MOMENTS = {
  request_start = true, -- headers
  request_headers_sent = true, -- headers
  request_chunk_sent = true, -- chunk
  request_end = true, -- response
  request_exception = true, -- exception
  request_redirect = true, -- response
  response_chunk_received = true, -- chunk
  connection_queued_start = true, connection_queued_end = true,
  connection_create_start = true, connection_create_end = true, connection_reuseconn = true,
  dns_resolvehost_start = true, dns_resolvehost_end = true, -- host
  dns_cache_hit = true, dns_cache_miss = true, -- host
}

--- Checks the option `trace`: functions by the names on_request_start and so on.
---@return table|nil moment -> function
function M.check(trace, n, name)
  if trace == nil then return nil end
  check.arg(type(trace) == "table", n, name, "option 'trace': table of functions expected")
  local found = {}
  for key, fn in pairs(trace) do
    local moment = type(key) == "string" and key:match "^on_(.*)$"
    if not MOMENTS[moment] then
      local names = {}
      for known in pairs(MOMENTS) do names[#names + 1] = "on_" .. known end
      table.sort(names)
      check.argerror(n, name, ("option 'trace': unknown moment '%s' (there is: %s)"):format(
        tostring(key), table.concat(names, ", ")))
    end
    check.arg(check.callable(fn), n, name,
      ("option 'trace': %s: function expected, got %s"):format(key, type(fn)))
    found[moment] = fn
  end
  return found
end

--- A function that reports the moments of one request.
---@param trace table moment -> function
---@param req table the request: session, method, url
---@return fun(moment: string, facts?: table)
function M.reporter(trace, req)
  local ctx = { session = req.session, trace_request_ctx = req.trace_request_ctx }
  return function(moment, facts)
    local fn = trace[moment]
    if not fn then return end
    facts = facts or {}
    facts.method, facts.url = req.method, req.url
    fn(ctx, facts)
  end
end

return M
