-- SPDX-License-Identifier: MIT
-- A folder of its own for a case, removed afterwards with all that is in it; and files there by
-- plain io, so that aio is not tested by itself.

local aio = require "aio"
local env = require "support.env"

local folder = {}

---Calls fn(path) with a new folder.
function folder.with(fn, ...)
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkdir " .. env.quote(path)))
  local results = table.pack(pcall(fn, path, ...))
  os.execute(("chmod -R u+rwx %s; rm -rf %s"):format(env.quote(path), env.quote(path)))
  if not results[1] then error(results[2], 0) end
  return table.unpack(results, 2, results.n)
end

---A function that adds a case to a group of T: `body(path)` runs in a task, with a new folder.
function folder.cases(T)
  return function(group, name, body)
    T[group]["test_" .. name] = function()
      folder.with(function(path) aio.run(body, path) end)
    end
  end
end

function folder.put(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

---@return string|nil
function folder.get(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

function folder.sh(format, ...)
  assert(os.execute(format:format(...)))
end

return folder
