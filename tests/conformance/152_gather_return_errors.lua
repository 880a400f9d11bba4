-- 152_gather_return_errors: errors returned in place
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))
local ValueError = aio.Error:extend("ValueError")

local ok = aio.async(function(n)
  return n
end)

local bad = aio.async(function(message)
  error(ValueError(message))
end)

aio.run(function()
  local jobs = { ok(1), bad("x"), ok(2), bad("y") }
  local results, errors = aio.gather(jobs, { return_exceptions = true })
  for i, err in pairs(errors) do
    if i ~= "n" then
      results[i] = "error: " .. err.message
    end
  end
  say(results)
end)
