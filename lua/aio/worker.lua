-- SPDX-License-Identifier: MIT
--
-- What the Lua state of a worker thread begins with. Not loaded anywhere else.

local aio = require "aio"
local core = require "aio.core"

local CODES = { [true] = 0, [false] = 1 }

-- A worker is not the program: whoever awaits the call gets SystemExit, and may end it.
function os.exit(code) -- luacheck: ignore
  if type(code) == "boolean" then code = CODES[code] end
  error(core.SystemExit(code), 0)
end

return function(initializer, preload)
  for name, loader in pairs(preload or {}) do
    package.preload[name] = package.preload[name] or loader
  end
  aio.run_with({ signals = false }, function()
    if initializer then initializer() end
    core._worker_wait()
  end)
end
