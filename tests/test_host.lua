-- SPDX-License-Identifier: MIT
-- The host interface: the cases in C of tests/host, each in a process of its own; the system calls
-- of an idle step; the header in C++; the example program.

local lu = require "luaunit"
local env = require "support.env"

local T = { elsewhere = true }

local PROGRAM = (env.build or "") .. "/aio-host"

local function output(command)
  local pipe = assert(io.popen("{ " .. command .. "; } 2>&1"))
  local text = pipe:read "a"
  local ok = pipe:close()
  return text, ok
end

local function last_line(text) return text:match "([^\n]*)\n$" end

local names = {}
if env.exists(PROGRAM) then
  for name in output(env.quote(PROGRAM)):gmatch "%S+" do names[#names + 1] = name end
end

function T.test_there_are_cases()
  lu.skipIf(not env.build, "no build to test")
  lu.assertTrue(#names > 0, PROGRAM .. " lists no case")
end

for _, name in ipairs(names) do
  T["test_" .. name] = function()
    local text, ok = output(("%s %s %s"):format(env.prefix, env.quote(PROGRAM), name))
    lu.assertEquals(last_line(text), "ok", text)
    lu.assertTrue(ok, text)
  end
end

local function have(program) return os.execute("command -v " .. program .. " >/dev/null 2>&1") end

-- These cases write "begin", make 100 steps and write "end"; what is in between is theirs.
local function check_idle(case)
  lu.skipIf(#names == 0 or not have "strace", "needs a build and strace")
  local text = output(("strace -qq -e signal=none %s %s"):format(env.quote(PROGRAM), case))
  local between = text:match 'write%(2, "begin.-\n(.*)\nwrite%(2, "end'
  lu.skipIf(not between and text:find "ptrace", "strace is not allowed here")
  lu.assertNotNil(between, text)
  local calls = {}
  for line in between:gmatch "[^\n]+" do
    local call = line:match "^([%w_]+)%("
    if call then calls[call] = (calls[call] or 0) + 1 end
  end
  local poll = calls.epoll_pwait and "epoll_pwait" or "epoll_wait"
  lu.assertEquals(calls[poll], 100, between)
  calls[poll] = nil
  -- the cases stand before libc's clock_gettime, so the clock is read by a system call here
  calls.clock_gettime = nil
  -- a call of on_ready that was still under way is armed once more: its signal, and what the two
  -- threads wait for each other meanwhile. Arming that is not free would show 100.
  if case == "idle_watched" and (calls.futex or 0) < 5 then calls.futex = nil end
  lu.assertEquals(calls, {})
end

function T.test_an_idle_step_is_one_system_call() check_idle "idle" end
function T.test_an_idle_step_with_on_ready_too() check_idle "idle_watched" end

local CPP = [[
#include "luaaio.h"
#include <lua.hpp>
int f(lua_State *L);
int f(lua_State *L) {
  aio_host_options options = aio_host_options();
  options.size = sizeof options;
  return aio_host_open(L, &options) + aio_host_close(L, 1.0);
}
]]

function T.test_the_header_in_cpp()
  lu.skipIf(not have "c++", "no C++ compiler")
  local text, ok = output(("printf %%s %s | c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror "
    .. "-fsyntax-only -I%s/src $(pkg-config --cflags lua5.4) -x c++ -"):format(
    env.quote(CPP), env.quote(env.root)))
  lu.assertEquals(text, "")
  lu.assertTrue(ok)
end

local function read(path) return env.read(env.root .. "/" .. path) end

function T.test_every_name_of_the_header_is_documented()
  local page = read "docs/api/host.md"
  local header = read("src/luaaio.h"):gsub("/%*.-%*/", "")
  local missing, n = {}, 0
  for name in header:gmatch "%f[%w_](%l+_[%l_]+)%(" do
    n = n + 1
    if not page:find(name, 1, true) then missing[#missing + 1] = name end
  end
  lu.assertTrue(n > 25, "the header was not understood")
  lu.assertEquals(missing, {})
end

-- Its output is written in the comment at the top of the program.
function T.test_the_example()
  local program = env.build and env.build .. "/examples/host/game"
  lu.skipIf(not program or not env.exists(program), "the example is not built")
  local wanted = read("examples/host/game.c"):match "prints:\n(.-) %*/"
  wanted = wanted:gsub(" %*  ? ?", ""):gsub(" %*\n", "\n")
  local text, ok = output(("%s %s"):format(env.prefix, env.quote(program)))
  -- under valgrind a task step takes as long as it takes
  if env.valgrind then text = text:gsub("some were late", "every one within its budget") end
  lu.assertEquals(text, wanted)
  lu.assertTrue(ok)
end

return T
