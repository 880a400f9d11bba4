-- SPDX-License-Identifier: MIT
-- aio as users get it: installed by CMake, by LuaRocks, linked into a host by its CMake package and
-- as part of the host's own tree.

local env = require "support.env"
local lu = require "luaunit"

local HELLO = [[require("aio").run(print, "ok")]]

-- A program that has nothing but the static library and Lua.
local HOST = [[
#include <lauxlib.h>
#include <luaaio.h>
#include <lualib.h>

int main(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "aio", luaopen_aio, 0);
  int failed = luaL_dostring(L, "package.path, package.cpath = '', ''\n"
                                "require('aio').run(print, 'ok')");
  if (failed) luaL_error(L, "%s", lua_tostring(L, -1));
  lua_close(L);
  return failed;
}
]]

local PACKAGE = [[
cmake_minimum_required(VERSION 3.25)
project(host C)
%s
find_package(PkgConfig REQUIRED)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4)
add_executable(host host.c)
target_link_libraries(host aio::static PkgConfig::LUA)
]]

local q = env.quote

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

-- Runs a shell command; its output, or a failure that shows it.
local function sh(command, ...)
  local pipe = assert(io.popen("{ " .. command:format(...) .. "; } 2>&1"))
  local text = pipe:read("a")
  local ok = pipe:close()
  if not ok then lu.fail(command:format(...) .. "\n" .. text) end
  return text
end

local root = sh("cd %s && pwd", q(env.root)):gsub("\n$", "")

local function lua_with(tree, chunk)
  return sh("LUA_PATH=%s LUA_CPATH=%s lua5.4 -e %s",
    q(("%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua"):format(tree, tree)),
    q(tree .. "/lib/lua/5.4/?.so"), q(chunk))
end

local T = {}

local function sanitized()
  local cache = assert(io.open(env.build .. "/CMakeCache.txt")):read("a")
  return cache:find("AIO_SANITIZE:STRING=%a") ~= nil
end

function T.setUp()
  if not env.build then lu.skip("no build directory") end
  if sanitized() or (os.getenv("AIO_TEST_PREFIX") or "") ~= "" then
    lu.skip("the interpreter here is not the users'")
  end
  T.dir = sh("mktemp -d"):gsub("\n$", "")
end

function T.tearDown()
  if T.dir then sh("rm -rf %s", q(T.dir)) end
  T.dir = nil
end

function T.test_cmake_install()
  sh("cmake --install %s --prefix %s", q(env.build), q(T.dir))
  lu.assertEquals(lua_with(T.dir, HELLO), "ok\n")
end

function T.test_luarocks_make_offline()
  sh("cp -r %s/src %s/lua %s/rockspec %s/docs %s/examples %s", root, root, root, root, root, T.dir)
  sh("cd %s && luarocks --lua-version 5.4 --tree tree make --deps-mode none --only-server none: "
    .. "rockspec/aio-scm-1.rockspec", q(T.dir))
  lu.assertEquals(lua_with(T.dir .. "/tree", HELLO), "ok\n")
end

local function build_host(how, options)
  write(T.dir .. "/host.c", HOST)
  write(T.dir .. "/CMakeLists.txt", PACKAGE:format(how))
  sh("cmake -S %s -B %s/build %s && cmake --build %s/build --parallel 2", q(T.dir), q(T.dir),
    options, q(T.dir))
  lu.assertEquals(sh("%s/build/host", q(T.dir)), "ok\n")
end

function T.test_host_by_package()
  sh("cmake --install %s --prefix %s/prefix", q(env.build), q(T.dir))
  build_host("find_package(aio REQUIRED)", "-DCMAKE_PREFIX_PATH=" .. q(T.dir .. "/prefix"))
end

-- The first block of a kind in the README.
local function sample(kind)
  local file = assert(io.open(env.root .. "/README.md"))
  local text = file:read("a")
  file:close()
  return (assert(text:match("\n```" .. kind .. "\n(.-)\n```\n"), "no block of " .. kind)) .. "\n"
end

function T.test_the_sample_of_the_readme()
  sh("cmake --install %s --prefix %s/prefix", q(env.build), q(T.dir))
  write(T.dir .. "/game.c", sample "c")
  write(T.dir .. "/CMakeLists.txt", sample "cmake")
  sh("cmake -S %s -B %s/build -DCMAKE_PREFIX_PATH=%s && cmake --build %s/build", q(T.dir), q(T.dir),
    q(T.dir .. "/prefix"), q(T.dir))
  lu.assertEquals(sh("%s/build/game", q(T.dir)), "hello\n")
end

function T.test_host_by_subdirectory()
  build_host(("add_subdirectory(%s aio)"):format(root), "-DAIO_BUILD_MODULE=OFF")
end

-- Unloaded code under a thread that still runs in it would crash the process: it stays.
function T.test_library_stays_when_the_state_is_closed()
  local stays = sh("readelf -d %s/aio/core.so | grep -c NODELETE || true", q(env.build))
  lu.assertEquals(stays, "1\n")
end

return T
