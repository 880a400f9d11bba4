-- SPDX-License-Identifier: MIT
-- Every public name of aio, read off the modules and metatables at run time, and which of them were
-- called. A process of the suite records with `start`; tests/support/coverage.lua adds the records
-- up. Recording needs the host program's call hook.

local env = require "support.env"

local names = {}

-- Classes whose objects no user ever holds.
local INTERNAL = { Listener = true, Watch = true, Sending = true }

local function public(key)
  return type(key) == "string" and not key:find("^_")
end

local function class_name(value)
  local name = type(value) == "table" and rawget(value, "__name")
  return type(name) == "string" and name:match("([%w_]+)$") or nil
end

-- What a name stands for: the function to watch for, or the class that is called.
local function callable(value)
  if type(value) == "function" then return value end
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__call and value or nil
end

local function add(found, name, value)
  local target = callable(value)
  found[name] = target or false
end

local function add_methods(found, class, name)
  if INTERNAL[name] then return end
  for key, value in pairs(class) do
    if public(key) and type(value) == "function" then add(found, name .. ":" .. key, value) end
  end
end

-- Functions that serve many classes at once: the class is their first argument.
local function add_module(found, module, prefix)
  for key, value in pairs(module) do
    if public(key) then
      add(found, prefix .. key, value)
      if class_name(value) then
        add_methods(found, value, class_name(value))
      elseif type(value) == "table" and not getmetatable(value) and prefix == "aio." then
        add_module(found, value, prefix .. key .. ".")
      end
    end
  end
end

-- The libraries that the build may be without.
local function add_others(found)
  if env.has_http() then
    add_module(found, require("aio.http")._load_all(), "http.")
    add_module(found, require "aio.http.testing", "http.testing.")
  end
  if env.has_json() then add_module(found, require "aio.json", "json.") end
end

---@return table<string, any>  each public name: the function or class behind it, else false
function names.all()
  local found = {}
  add_module(found, require "aio", "aio.")
  add_module(found, require "aio.testing", "aio.testing.")
  add_others(found)
  for key, value in pairs(debug.getregistry()) do
    if math.type(key) == "integer" and class_name(value) and rawget(value, "__index") == value then
      add_methods(found, value, class_name(value))
    end
  end
  for module, value in pairs(package.loaded) do
    if module:find("^aio%.") and type(value) == "table" then
      for _, class in pairs(value) do
        if class_name(class) then add_methods(found, class, class_name(class)) end
      end
    end
  end
  return found
end

-- All that a call hook must know, and for each the names that it proves.
local function watched(found)
  local called, proves = {}, {}
  for name, target in pairs(found) do
    if target then
      called[target] = false
      proves[target] = proves[target] or {}
      table.insert(proves[target], name)
    end
    if type(target) == "table" then called[getmetatable(target).__call] = false end
  end
  return called, proves
end

---Records until the Lua state is closed, then writes the names that were called.
---@param dir string  folder for the record
function names.start(dir)
  local called, proves = watched(names.all())
  names.record = setmetatable({}, { __gc = function()
    local file = assert(io.open(os.tmpname():gsub("^.*/", dir .. "/") .. ".names", "w"))
    for target, list in pairs(proves) do
      if called[target] then file:write(table.concat(list, "\n"), "\n") end
    end
    file:close()
  end })
  package.loaded.testhost.trace(called)
end

return names
