-- The five most frequent words of a text, by the programs that every Unix has, and the same by
-- hand with one of them, whose lines are read as they come.
local aio = require "aio"

local TEXT = [[
the quick brown fox jumps over the lazy dog
the dog sleeps and the fox runs
over the hill and over the river
]]

aio.main(function()
  local codes, out = aio.pipeline({
    { "tr", "-s", " ", "\n" },
    { "sort", extra_env = { LC_ALL = "C" } },
    { "uniq", "-c" },
    { "sort", "-k1,1nr", "-k2", extra_env = { LC_ALL = "C" } },
    { "head", "-n", 5 },
  }, { input = TEXT, stdout = aio.PIPE })
  for count, word in out:gmatch "(%d+) (%a+)" do print(count, word) end
  print("exit codes: " .. table.concat(codes, " "))

  local p <close> = aio.create_subprocess_exec("tr", "a-z", "A-Z",
    { stdin = aio.PIPE, stdout = aio.PIPE })
  p.stdin:write(TEXT)
  p.stdin:close()
  for line in p.stdout:lines() do print(#line, line) end
  print("exit code: " .. p:wait())
end)
-- prints:
-- 6	the
-- 3	over
-- 2	and
-- 2	dog
-- 2	fox
-- exit codes: 0 0 0 0 0
-- 43	THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG
-- 31	THE DOG SLEEPS AND THE FOX RUNS
-- 32	OVER THE HILL AND OVER THE RIVER
-- exit code: 0
