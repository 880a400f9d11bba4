-- SPDX-License-Identifier: MIT
--
-- Which content codings a client takes, by its Accept-Encoding. Used by what compresses.

local M = {}

--- The codings of an Accept-Encoding that are not refused (q=0): name -> weight.
---@param headers table
---@return table
function M.codings(headers)
  local found = {}
  for _, line in ipairs(headers:get_all "accept-encoding") do
    for item in line:gmatch "[^,]+" do
      local name, rest = item:match "^%s*([%w*-]+)%s*(.*)$"
      if name then
        local q = tonumber(rest:match "^;%s*[qQ]%s*=%s*([%d.]+)%s*$" or rest == "" and 1) or 0
        if q > 0 then found[name:lower()] = q end
        if q == 0 and found[name:lower()] == nil then found[name:lower()] = false end
      end
    end
  end
  return found
end

--- Does the client take it?
---@param codings table what `codings` returned
---@param name string
---@return boolean
function M.takes(codings, name)
  local q = codings[name]
  if q == nil then q = codings["*"] end
  return q ~= nil and q ~= false
end

return M
