-- SPDX-License-Identifier: MIT
-- The inputs of tests/fuzz/corpus, and some that are made up, given to their targets: what once
-- broke something does not do so again, in this build. tools/fuzz looks for new ones.

local lu = require "luaunit"
local env = require "support.env"

local T = {}

local PROGRAM = (env.build or "") .. "/aio-replay"
local MADE_UP = env.valgrind and 2 or 100
local MOST = 1024 -- bytes of an input in the tree

local function targets()
  local names = {}
  for n, path in ipairs(env.glob("tests/fuzz/corpus/*")) do names[n] = path:match("[^/]*$") end
  return names
end

local function replay(name, arguments)
  local pipe = assert(io.popen(("AIO_FUZZ_TARGET=%s %s %s %s 2>&1"):format(name, env.prefix,
    env.quote(PROGRAM), arguments)))
  local text = pipe:read("a")
  local ok = pipe:close()
  return text, ok
end

function T.test_every_target_has_a_corpus()
  local with_body = {}
  for _, path in ipairs(env.glob("tests/fuzz/*.lua")) do
    local file = assert(io.open(env.root .. "/" .. path))
    if file:read("a"):find("\nreturn input.target(", 1, true) then
      with_body[#with_body + 1] = path:match("([^/]*)%.lua$")
    end
    file:close()
  end
  lu.assertEquals(targets(), with_body)
end

function T.test_inputs_are_small()
  for _, path in ipairs(env.glob("tests/fuzz/corpus/*/*")) do
    local file = assert(io.open(env.root .. "/" .. path, "rb"))
    lu.assertTrue(file:seek("end") <= MOST, path)
    file:close()
  end
end

for _, name in ipairs(targets()) do
  T["test_" .. name] = function()
    lu.skipIf(not env.exists(PROGRAM), "no build to test")
    lu.skipIf(name:find("^tls") and not env.has_tls(), "this build has no library for TLS")
    lu.skipIf(name:find("^http") and not env.has_http(), "this build has no library for HTTP")
    lu.skipIf(name == "json" and not require("aio.optional").has "jansson",
      "this build has no library for JSON")
    local inputs = env.glob(("tests/fuzz/corpus/%s/*"):format(name))
    lu.assertTrue(#inputs > 0)
    for n, path in ipairs(inputs) do inputs[n] = env.quote(env.root .. "/" .. path) end
    local text, ok = replay(name, table.concat(inputs, " ") .. " -" .. MADE_UP)
    lu.assertTrue(ok, text)
    lu.assertStrContains(text, ("ok %d inputs"):format(#inputs + MADE_UP))
  end
end

return T
