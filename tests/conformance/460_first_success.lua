-- 460_first_success: first good result wins, the rest are cancelled
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")

local attempt = aio.async(function(n, delay, good)
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, delay)
  if not ok then
    say("attempt", n, "cancelled")
    error(err, 0)
  end
  if not good then
    error(ValueError(("attempt %d failed"):format(n)))
  end
  return n
end)

local function first_success(pending)
  local done
  local errors = {}
  while #pending > 0 do
    done, pending = aio.wait(pending, { return_when = aio.FIRST_COMPLETED })
    for _, t in ipairs(done) do
      if not t:exception() then
        for _, p in ipairs(pending) do
          p:cancel()
        end
        aio.gather(pending, { return_exceptions = true })
        return t:result(), errors
      end
      table.insert(errors, t:exception().message)
    end
  end
  return nil, errors
end

aio.run(function()
  local ts = { attempt(1, 0.01, false), attempt(2, 0.04, true), attempt(3, 0.5, true) }
  say({ first_success(ts) })
end)
