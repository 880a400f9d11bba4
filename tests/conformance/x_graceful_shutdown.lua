-- x_graceful_shutdown: stop accepting, let what runs finish for a while, cancel the rest
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local job = aio.async(function(n, delay)
  local ok, err = aio.catch(aio.CancelledError, aio.sleep, delay)
  if not ok then
    say("job", n, "cut off")
    error(err, 0)
  end
  say("job", n, "finished")
end)

aio.run(function()
  local jobs = { job(1, 0.01), job(2, 10), job(3, 0.02), job(4, 10) }
  local done, pending = aio.wait(jobs, { timeout = 0.08 })
  say("done", #done, "pending", #pending)
  for _, t in ipairs(pending) do
    t:cancel()
  end
  local _, errors = aio.gather(jobs, { return_exceptions = true })
  local cut = {}
  for i = 1, #jobs do
    cut[i] = aio.is(errors[i], aio.CancelledError)
  end
  say(cut)
end)
