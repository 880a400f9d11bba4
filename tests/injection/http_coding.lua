-- SPDX-License-Identifier: MIT
-- Each content coding that is here, both ways in steps.
local env = require "support.env"
if not env.has_http() then return end
local coding = require "aio.http.coding"
local text = {}
for i = 1, 500 do text[i] = ("line %d\n"):format(i) end
text = table.concat(text)
for _, name in ipairs(coding.codings()) do
  local encoder = coding.encoder(name)
  local coded = encoder:flush(text:sub(1, 100)) .. encoder:finish(text:sub(101))
  local given, parts = false, {}
  for piece in coding.decoding(name, function()
    if given then return nil end
    given = true
    return coded
  end) do parts[#parts + 1] = piece end
  assert(table.concat(parts) == text)
end
