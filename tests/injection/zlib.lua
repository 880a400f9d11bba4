-- SPDX-License-Identifier: MIT
-- Memory fails while data is compressed and decompressed in steps.
local aio = require "aio"
local zlib = require "aio.zlib"

aio.run(function()
  local deflate, inflate = zlib.deflate "gzip", zlib.inflate "auto"
  local text = ("what repeats itself "):rep(2000)
  inflate:feed(deflate:write(text, "sync") .. deflate:write("the end", "finish"))
  local parts = {}
  for part in function() return inflate:read(10000) end do parts[#parts + 1] = part end
  assert(table.concat(parts) == text .. "the end" and inflate:finished())
end)
