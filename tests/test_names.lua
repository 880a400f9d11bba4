-- SPDX-License-Identifier: MIT
-- Small things that no other file has reason to call.

local aio = require "aio"
local lu = require "luaunit"

local T = {}

function T.test_error_classes_that_only_later_parts_raise()
  for _, name in ipairs { "QueueShutDown", "SSLError", "SSLCertVerificationError",
    "SendfileNotAvailableError" } do
    local err = aio[name]("why")
    lu.assertTrue(aio.is(err, aio[name], aio.Error))
    lu.assertEquals(tostring(err), name .. ": why")
  end
  lu.assertTrue(aio.is(aio.SSLCertVerificationError(), aio.OSError))
end

function T.test_version() lu.assertStrMatches(aio._VERSION, "aio %d+%.%d+%.%d+") end

function T.test_main_returns_what_its_function_returns()
  lu.assertEquals({ aio.main(function(...) return ... end, 1, 2) }, { 1, 2 })
end

function T.test_items_of_every_kind_of_queue()
  for kind, expected in pairs { LifoQueue = { 2, 1 }, PriorityQueue = { 1, 2 } } do
    local got = {}
    aio.run(function()
      local queue = aio[kind]()
      for i = 1, 2 do queue:put(i) end
      queue:shutdown()
      for item in queue:items() do got[#got + 1] = item end
    end)
    lu.assertEquals(got, expected)
  end
end

return T
