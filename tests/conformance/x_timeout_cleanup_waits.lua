-- x_timeout_cleanup_waits: the scope ends after the cleanup that waits
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local ok = aio.catch(aio.TimeoutError, aio.timeout, 0.01, function()
    local _ <close> = aio.defer(function()
      aio.sleep(0.01)
      say("cleaned up")
    end)
    aio.sleep(10)
  end)
  if not ok then
    say("timeout")
  end
end)
