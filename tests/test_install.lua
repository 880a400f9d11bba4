-- SPDX-License-Identifier: MIT
-- aio as users get it: installed by CMake, by LuaRocks, linked into a host by its CMake package and
-- as part of the host's own tree.

local env = require "support.env"
local lu = require "luaunit"

local HELLO = [[require("aio").run(print, "ok")]]

-- A server and a client without TLS, compression and JSON; what needs those says so.
local HTTP = [[
  local aio, http = require "aio", require "aio.http"
  http._load_all()
  local app = http.Application()
  app:get("/", function() return "hello" end)
  local function why(fn, ...)
    local ok, err = pcall(fn, ...)
    print(ok, type(err) == "table" and err.message or err)
  end
  aio.run(function()
    local server <close> = require("aio.http.testing").TestServer(app)
    local r <close> = http.get(server:make_url "/")
    print(r.status, r:text())
    why(http.get, "https://127.0.0.1:1/")
    why(require("aio.http.coding").decoder, "gzip")
    why(require("aio.json").encode, {})
  end)
]]

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

local T = { elsewhere = true }

function T.setUp()
  if not env.build then lu.skip("no build directory") end
  if env.valgrind or env.sanitizers ~= "" then
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

-- A page over TLS from a server of its own, by what is installed in a tree.
local function fetch_over_tls(tree)
  lu.assertStrContains(sh("LUA_PATH=%s LUA_CPATH=%s lua5.4 %s/examples/https_fetch.lua",
    q(("%s/share/lua/5.4/?.lua;%s/share/lua/5.4/?/init.lua"):format(tree, tree)),
    q(tree .. "/lib/lua/5.4/?.so"), root), "hello over TLS\n")
end

-- Makes a rock from a copy of the sources, without the network and without the time of -O2.
local function make(rock, flags)
  sh("cd %s && luarocks --lua-version 5.4 --tree tree make --deps-mode none --only-server none: "
    .. "rockspec/%s-scm-1.rockspec CFLAGS='-O0 -fPIC%s'", q(T.dir), rock, flags or "")
end

-- The core, HTTP on it as on a machine without llhttp, with what it says of the libraries that are
-- missing, then one of those.
function T.test_luarocks_make_offline()
  sh("cp -r %s/src %s/lua %s/rockspec %s/docs %s/examples %s", root, root, root, root, root, T.dir)
  make "aio"
  lu.assertEquals(lua_with(T.dir .. "/tree", HELLO), "ok\n")
  make("aio-http", " -DAIO_NO_LLHTTP")
  local said = lua_with(T.dir .. "/tree", HTTP)
  lu.assertStrContains(said, "200\thello\n")
  for _, library in ipairs { "aio/tls.so", "aio/zlib.so", "aio/jansson.so" } do
    lu.assertStrMatches(said, ".*\nfalse\t[^\n]*" .. library:gsub("%.", "%%.") .. ".*")
  end
  make "aio-tls"
  fetch_over_tls(T.dir .. "/tree")
end

local SMALL = [[
  for _, name in ipairs { "jansson", "brotli", "zstd" } do
    assert(package.searchpath("aio." .. name, package.cpath):find "/tree/", name)
  end
  local json = require "aio.json"
  local text = json.encode { json.decode "[1,null]" }
  for _, name in ipairs { "brotli", "zstd" } do
    local library = require("aio." .. name)
    local decoder = library.decoder()
    decoder:feed(library.encoder():write(text, "finish"))
    print(name, decoder:read())
  end
]]

-- The libraries that stand beside, on the core of the build.
function T.test_luarocks_make_small_libraries_offline()
  local optional = require "aio.optional"
  for _, name in ipairs { "jansson", "brotli", "zstd" } do
    if not optional.has(name) then return lu.skip("this build has no library for " .. name) end
  end
  sh("cp -r %s/src %s/rockspec %s", root, root, T.dir)
  for _, rock in ipairs { "aio-json", "aio-brotli", "aio-zstd" } do make(rock) end
  local said = sh("LUA_PATH=%s LUA_CPATH=%s lua5.4 -e %s",
    q(("%s/lua/?.lua;%s/lua/?/init.lua"):format(env.root, env.root)),
    q(("%s/tree/lib/lua/5.4/?.so;%s/?.so"):format(T.dir, env.build)), q(SMALL))
  lu.assertEquals(said, "brotli\t[[1,null]]\nzstd\t[[1,null]]\n")
end

local NO_TLS = [[
  local aio = require "aio"
  local ok, err = pcall(aio.ssl_context)
  print(ok, err.message)
  aio.run(function()
    print(select(2, pcall(aio.open_connection, "localhost", 1, { ssl = true })).message)
  end)
]]

-- The core alone, then TLS beside it.
function T.test_cmake_components()
  if not env.has_tls() then lu.skip("this build has no library for TLS") end
  sh("cmake --install %s --prefix %s --component Unspecified", q(env.build), q(T.dir))
  for line in lua_with(T.dir, NO_TLS):gmatch("[^\n]*TLS needs[^\n]*") do
    lu.assertStrContains(line, "the library aio/tls.so (built with OpenSSL 3, in LuaRocks the rock "
      .. "aio-tls)")
  end
  lu.assertStrContains(lua_with(T.dir, NO_TLS), "false\tTLS needs")
  sh("cmake --install %s --prefix %s --component tls", q(env.build), q(T.dir))
  lu.assertEquals(sh("find %s -name '*.so' | wc -l", q(T.dir)), "2\n")
  fetch_over_tls(T.dir)
end

-- A build that is not to have TLS works, and says what is missing when it is asked for.
function T.test_build_without_tls()
  sh("cmake -S %s -B %s/build -DCMAKE_BUILD_TYPE=Debug -DAIO_TLS=OFF -DAIO_BUILD_STATIC=OFF "
    .. "-DAIO_BUILD_TESTS=OFF && cmake --build %s/build --parallel 2 && "
    .. "cmake --install %s/build --prefix %s/prefix", root, q(T.dir), q(T.dir), q(T.dir), q(T.dir))
  lu.assertEquals(sh("find %s/prefix -name 'tls.so'", q(T.dir)), "")
  lu.assertEquals(lua_with(T.dir .. "/prefix", HELLO), "ok\n")
  lu.assertStrContains(lua_with(T.dir .. "/prefix", NO_TLS), "in LuaRocks the rock aio-tls")
  lu.assertEquals(sh("ldd %s/prefix/lib/lua/5.4/aio/core.so | grep -c ssl || true", q(T.dir)),
    "0\n")
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
  build_host(("add_subdirectory(%s aio)"):format(root),
    "-DAIO_BUILD_MODULE=OFF -DCMAKE_BUILD_TYPE=Debug")
end

-- Unloaded code under a thread that still runs in it would crash the process: it stays.
function T.test_library_stays_when_the_state_is_closed()
  local stays = sh("readelf -d %s/aio/core.so | grep -c NODELETE || true", q(env.build))
  lu.assertEquals(stays, "1\n")
end

return T
