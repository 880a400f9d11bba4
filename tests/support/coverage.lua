-- SPDX-License-Identifier: MIT
-- The last step of the suite: is every public name called by some test and told of on some page?
--   aio-lua tests/support/coverage.lua DIR     DIR holds the records of all test processes

package.path = arg[0]:gsub("support/[^/]*$", "") .. "?.lua;" .. package.path

local env = require "support.env"
local names = require "support.names"

local function recorded(dir)
  local called, pipe = {}, assert(io.popen("cat " .. env.quote(dir) .. "/*.names"))
  for name in pipe:lines() do called[name] = true end
  pipe:close()
  return called
end

local function pages()
  local list = {}
  for _, path in ipairs(env.glob("docs/api/*.md")) do
    list[#list + 1] = env.read(env.root .. "/" .. path)
  end
  return list
end

local function has_word(text, word)
  return text:find("%f[%w_]" .. word:gsub("%p", "%%%0") .. "%f[^%w_]") ~= nil
end

-- A method is told of where its class (or an object of it, in lower case) and, behind ":" or ".",
-- its name stand on one page. Pages write names of classes without "aio." and "http.".
local function documented(list, name)
  local class, method = name:match("^([^.]+):(.*)$")
  local word = class or name:match("^aio%.(%u[%w_]*)$") or name:match("^http%.(%u[%w_]*)$")
    or name:match("^http%.(testing%.[%w_]+)$") or name
  for _, text in ipairs(list) do
    if has_word(text, word) or class and has_word(text, class:lower()) then
      if not class or text:find("[:.`]" .. method .. "%f[^%w_]") then return true end
    end
  end
  return false
end

local called, list = recorded(arg[1]), pages()
local passed, failures = 0, {}
for name, target in pairs(names.all()) do
  if target and not called[name] then
    failures[#failures + 1] = name .. ": never called while the suite ran"
  elseif not documented(list, name) then
    failures[#failures + 1] = name .. ": on no page of docs/api"
  else
    passed = passed + 1
  end
end
table.sort(failures)
for _, failure in ipairs(failures) do print(failure) end
env.record("names", passed, #failures, 0)
print(("%d passed, %d failed"):format(passed, #failures))
os.exit(#failures == 0, true)
