-- SPDX-License-Identifier: MIT
--
-- Domains under which strangers have theirs ("com", "co.uk"): nobody sets cookies for those. The
-- full list of them has ten thousand entries and changes every week; this is the shape that most
-- have, and a jar takes a better function (CookieJar{is_public_suffix=}).

local M = {}

-- What stands before the two letters of a country, where people cannot register those alone.
local SECOND = {}
for name in ([[ac co com edu gov mil net org or ne go gob gouv gv nom id sch ltd plc nhs police
  mod asso info web firm gen ind res nic lg ed ad gr k12 lib asn conf id maori cri iwi kiwi school
  geek health parliament]]):gmatch("%S+") do
  SECOND[name] = true
end

-- Some that are not of that shape, where many strangers live.
local KNOWN = {}
for name in ([[github.io gitlab.io pages.dev workers.dev netlify.app vercel.app herokuapp.com
  appspot.com blogspot.com azurewebsites.net cloudfront.net web.app firebaseapp.com fly.dev
  onrender.com surge.sh readthedocs.io s3.amazonaws.com]]):gmatch("%S+") do
  KNOWN[name] = true
end

--- Is this a domain under which strangers have theirs?
---@param domain string in lower case
---@return boolean
function M.is_public(domain)
  if KNOWN[domain] then return true end
  local first, country = domain:match("^([^.]+)%.([^.]+)$")
  if not first then return not domain:find(".", 1, true) end
  return #country == 2 and SECOND[first] or false
end

return M
