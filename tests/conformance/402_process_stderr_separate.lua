-- 402_process_stderr_separate: stderr on its own pipe or merged
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local cmd = "echo out; echo err >&2"
local PIPE, STDOUT, DEVNULL = aio.PIPE, aio.STDOUT, aio.DEVNULL

local function words(text)
  local list = {}
  for word in text:gmatch "%S+" do list[#list + 1] = word end
  return list
end

aio.run(function()
  local p = aio.create_subprocess_shell(cmd, { stdout = PIPE, stderr = PIPE })
  local out, err = p:communicate()
  say("out", (out:gsub("%s+$", "")), "err", (err:gsub("%s+$", "")))
  p = aio.create_subprocess_shell(cmd, { stdout = PIPE, stderr = STDOUT })
  out, err = p:communicate()
  say("merged", words(out), "err", err)
  p = aio.create_subprocess_shell(cmd, { stdout = DEVNULL, stderr = DEVNULL })
  say("nothing", table.pack(p:communicate()))
end)
