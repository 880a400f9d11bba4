-- SPDX-License-Identifier: MIT
--
-- X-Forwarded-For, -Proto and -Host, believed only when they come from a proxy that one trusts.
-- Without the option these headers mean nothing.

local check = require "aio.check"

local M = {}

local function ipv4(s)
  local a, b, c, d = s:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
  if not a then return nil end
  local n = 0
  for _, part in ipairs { a, b, c, d } do
    part = tonumber(part)
    if part > 255 then return nil end
    n = n << 8 | part
  end
  return n
end

-- A test for one entry of the list: an address, a network of IPv4, or "unix".
local function matcher(entry)
  local net, bits = entry:match "^([%d.]+)/(%d+)$"
  if net then
    local base, width = ipv4(net), tonumber(bits)
    if not base or width > 32 then return nil end
    local mask = width == 0 and 0 or (0xFFFFFFFF << (32 - width)) & 0xFFFFFFFF
    return function(peer)
      local n = ipv4((peer:gsub("^::ffff:", "")))
      return n ~= nil and n & mask == base & mask
    end
  end
  if entry == "unix" then return function(peer) return peer == "" end end
  if not entry:find "^[%x:.]+$" then return nil end
  return function(peer) return peer == entry end
end

local function trusts(list)
  if list == true then return function() return true end end
  local tests = {}
  for i, entry in ipairs(list) do
    local test = type(entry) == "string" and matcher(entry)
    check.arg(test, 2, "AppRunner", ("option 'forwarded': item %d: an address, a network like "
      .. "\"10.0.0.0/8\", or \"unix\" expected"):format(i))
    tests[i] = test
  end
  return function(peer)
    for _, test in ipairs(tests) do
      if test(peer) then return true end
    end
    return false
  end
end

-- No value has blanks inside. Runs of them are looked at once.
local function values(headers, name)
  local list = {}
  for _, line in ipairs(headers:get_all(name)) do
    for item in (line .. ","):gmatch "([^,]*)," do
      local from = item:find "%S"
      list[#list + 1] = from and item:match("^(%S+)%s*$", from) or ""
    end
  end
  return list
end

-- An address without its port; nil for what is none.
local function clean(address)
  address = address:match "^%[([%x:.]+)%]:?%d*$" or address:match "^([%d.]+):%d+$" or address
  return address:find "^[%x:.]+$" and address or nil
end

-- From the last proxy backwards: the first address that nobody trusted vouches for no further.
local function client(hops, trusted, single)
  local remote
  for i = #hops, 1, -1 do
    local address = clean(hops[i])
    if not address then break end
    remote = address
    if single or not trusted(address) then break end
  end
  return remote
end

--- The rules of the option `forwarded`: true believes whoever connects, and takes what the last
--- proxy has added; a list names the proxies.
---@param list boolean|table
---@return fun(req: table, peer: string): table|nil
function M.rules(list)
  check.arg(list == true or type(list) == "table", 2, "AppRunner",
    "option 'forwarded': true or a list of addresses of proxies expected, got " .. type(list))
  local trusted = trusts(list)
  return function(req, peer)
    if not trusted(peer) then return nil end
    local proto, host = values(req.headers, "x-forwarded-proto"),
      values(req.headers, "x-forwarded-host")
    proto, host = (proto[#proto] or ""):lower(), host[#host] or ""
    return {
      remote = client(values(req.headers, "x-forwarded-for"), trusted, list == true),
      scheme = (proto == "http" or proto == "https") and proto or nil,
      host = host:find "^[%w.%-_:%[%]]+$" and host or nil,
    }
  end
end

return M
