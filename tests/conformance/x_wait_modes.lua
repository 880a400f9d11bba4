-- x_wait_modes: what each mode of wait returns, and when
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function finish(n, turns, how)
  for _ = 1, turns do aio.sleep(0) end
  say("end", n)
  if how == "bad" then error(ValueError(n)) end
  return n
end

local function names(list)
  local r = {}
  for i, t in ipairs(list) do r[i] = t:get_name() end
  table.sort(r)
  return r
end

aio.run(function()
  for _, mode in ipairs { "FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED" } do
    local ts = {
      aio.create_task_with({ name = "a" }, finish, "a", 4),
      aio.create_task_with({ name = "b" }, finish, "b", 1),
      aio.create_task_with({ name = "c" }, finish, "c", 2, "bad"),
    }
    local d, p = aio.wait(ts, { return_when = aio[mode] })
    say(mode, names(d), names(p))
    if #p > 0 then aio.wait(p) end
    for _, t in ipairs(ts) do t:exception() end
  end
end)
