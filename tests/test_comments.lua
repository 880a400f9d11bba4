-- SPDX-License-Identifier: MIT
-- Every public function that is written in Lua has a comment above it, with its parameters in it.

local lu = require "luaunit"
local names = require "support.names"

local T = {}

local files = {}

local function lines_of(path)
  if not files[path] then
    local lines = {}
    for line in io.lines(path) do lines[#lines + 1] = line end
    files[path] = lines
  end
  return files[path]
end

-- The comment for users above a line, or nil.
local function comment_above(lines, line)
  local first = line
  while first > 1 and lines[first - 1]:find("^%-%-") do first = first - 1 end
  local text = table.concat(lines, "\n", first, line - 1)
  return text:find("^%-%-%- ") and text or nil
end

-- The names of the parameters, "..." last; what begins with "_" is for nobody.
local function parameters(fn)
  local list, info = {}, debug.getinfo(fn, "u")
  for i = 1, info.nparams do
    local name = debug.getlocal(fn, i)
    if name ~= "self" and not name:find("^_") then list[#list + 1] = name end
  end
  if info.isvararg then list[#list + 1] = "..." end
  return list
end

-- What the comment of a function lacks; nil when there is nothing to look at: functions in C, and
-- those that another function makes for many names, which stand indented.
local function lacking(fn)
  local info = debug.getinfo(fn, "S")
  local path = info.source:match("^@(.*/aio/.*%.lua)$")
  local lines = path and lines_of(path)
  if not lines or lines[info.linedefined]:find("^%s") then return nil end
  local text, lacks = comment_above(lines, info.linedefined), {}
  if not text then return { "a comment" } end
  for _, name in ipairs(parameters(fn)) do
    if not text:find("@param " .. name:gsub("%p", "%%%0") .. "%??%s") then
      lacks[#lacks + 1] = "@param " .. name
    end
  end
  return lacks
end

function T.test_public_functions_say_what_they_take()
  local found, seen = {}, 0
  for name, fn in pairs(names.all()) do
    local lacks = type(fn) == "function" and lacking(fn)
    if lacks then seen = seen + 1 end
    if lacks and #lacks > 0 then found[#found + 1] = name .. ": " .. table.concat(lacks, ", ") end
  end
  table.sort(found)
  lu.assertTrue(seen > 100)
  lu.assertEquals(found, {})
end

return T
