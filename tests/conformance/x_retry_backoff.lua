-- x_retry_backoff: a call is repeated with growing pauses until it works or time is up
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function retry(fn, tries)
  for n = 0, tries - 1 do
    local ok, v = aio.catch(aio.OSError, fn, n)
    if ok then
      return v
    end
    say("try", n, "failed:", v.message)
    aio.sleep(0.001 * 2 ^ n)
  end
  error(aio.RuntimeError("gave up"))
end

local function third_time(n)
  if n < 2 then
    error(aio.OSError("down"))
  end
  return "up"
end

local function never()
  error(aio.OSError("always down"))
end

local function never_quiet()
  aio.sleep(10)
end

aio.run(function()
  say(retry(third_time, 5))
  local ok, err = aio.catch(aio.RuntimeError, retry, never, 2)
  if not ok then
    say("error:", err.message)
  end
  if not aio.catch(aio.TimeoutError, aio.timeout, 0.05, retry, never_quiet, 1000000) then
    say("time is up")
  end
end)
