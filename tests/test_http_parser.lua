-- SPDX-License-Identifier: MIT
-- The parser of HTTP/1 and what it stands on in the core.

local aio = require "aio"
local core = require "aio.core"
local env = require "support.env"
local lu = require "luaunit"

local T = {}

function T.setUp()
  if not env.has_http() then lu.skip("this build has no library for HTTP") end
end

function T.test_random_bytes()
  for _, n in ipairs { 0, 1, 16, 65536 } do lu.assertEquals(#core._random(n), n) end
  lu.assertNotEquals(core._random(16), core._random(16))
  lu.assertErrorMsgContains("0 to 65536 bytes", core._random, -1)
  lu.assertErrorMsgContains("0 to 65536 bytes", core._random, 65537)
end

function T.test_module_table_loads_names_at_first_use()
  local http = require "aio.http"
  lu.assertNil(http.no_such_name)
  for name, value in pairs(http._load_all()) do
    if not name:find("^_") then lu.assertIs(value, http[name]) end
  end
  lu.assertEquals(aio.run(function() return require("aio.http.core").llhttp end):match("^%d+%."),
    "8.")
end

return T
