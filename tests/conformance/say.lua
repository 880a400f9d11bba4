-- SPDX-License-Identifier: MIT
-- The neutral printer of the conformance programs: true/false/nil, lists as [a, b], and what
-- tostring says of the rest; one line per call, flushed.

local function fmt(v)
  if type(v) ~= "table" or getmetatable(v) then
    return tostring(v)
  end
  local parts = {}
  for i = 1, v.n or #v do
    parts[i] = fmt(v[i])
  end
  return "[" .. table.concat(parts, ", ") .. "]"
end

return function(...)
  local parts = table.pack(...)
  for i = 1, parts.n do
    parts[i] = fmt(parts[i])
  end
  print(table.concat(parts, " "))
  io.stdout:flush()
end
