-- SPDX-License-Identifier: MIT
-- What holds for the sources as such: the floors, the lists of files, the layout of a file.

local env = require "support.env"
local lu = require "luaunit"

local MAX_LINES, MAX_COLUMNS, LONG_FUNCTION = 600, 100, 40

local function read(path) return env.read(env.root .. "/" .. path) end

local function tree(folders, ...)
  local names = {}
  for _, name in ipairs({ ... }) do names[#names + 1] = "-name " .. env.quote(name) end
  local pipe = assert(io.popen(("cd %s && find %s %s | LC_ALL=C sort"):format(env.quote(env.root),
    folders, table.concat(names, " -o "))))
  local files = {}
  for line in pipe:lines() do files[#files + 1] = line end
  pipe:close()
  assert(#files > 0, "nothing in " .. folders)
  return files
end

local c_files = tree("src tests", "*.c", "*.h")
local lua_files = tree("lua tests examples tools bench", "*.lua")

-- A failure lists every place, not only the first.
local function expect_none(found)
  if #found > 0 then lu.fail("\n  " .. table.concat(found, "\n  ")) end
end

local function lines_of(path)
  local n, next_line = 0, read(path):gmatch("([^\n]*)\n")
  return function()
    n = n + 1
    local line = next_line()
    if line then return n, line end
  end
end

-- Which folders below src/ a floor may include from; Lua and libuv count as folders here.
local FLOORS = {
  base = { base = true },
  proto = { base = true, proto = true, llhttp = true },
  core = { base = true, core = true, uv = true },
  bind = { base = true, core = true, bind = true, uv = true, lua = true },
  beside = { core = true, beside = true, lua = true },
  tls = { base = true, core = true, beside = true, tls = true, lua = true, openssl = true },
  http = { base = true, proto = true, core = true, beside = true, http = true, lua = true },
  json = { base = true, json = true, lua = true },
  codec = { base = true, codec = true, lua = true },
  brotli = { codec = true, lua = true },
  zstd = { codec = true, lua = true },
  zlib = { base = true, zlib = true, lua = true },
}

local LIBRARIES = {
  ["lua.h"] = "lua", ["lauxlib.h"] = "lua", ["lualib.h"] = "lua", ["uv.h"] = "uv",
  ["llhttp.h"] = "llhttp", ["llhttp.c"] = "llhttp", ["api.c"] = "llhttp", ["http.c"] = "llhttp",
}

-- What an include line asks for: a floor, "lua", "uv", or nil for the system's headers.
local function included(line)
  local path = line:match('^%s*#%s*include%s*[<"]([^>"]+)[>"]')
  if not path then return nil end
  if path:find("^openssl/") then return "openssl" end
  return LIBRARIES[path] or (line:find('"', 1, true) and (path:match("^(%w+)/") or path)) or nil
end

local T = {}

function T.test_floors_include_downwards_only()
  local found = {}
  for _, path in ipairs(tree("src", "*.c", "*.h")) do
    local floor = FLOORS[path:match("^src/(%w+)/")]
    for n, line in lines_of(path) do
      local what = included(line)
      if floor and what and not floor[what] and not (floor.lua and what == "luaaio.h") then
        found[#found + 1] = ("%s:%d: this floor may not know %s"):format(path, n, what)
      end
    end
  end
  expect_none(found)
end

-- Where each word stands in the code of these files: word -> path -> how often.
local function words_of(paths)
  local words = {}
  for _, path in ipairs(paths) do
    local code = read(path):gsub("/%*.-%*/", " ")
    for word in code:gmatch("[%a_][%w_]*") do
      local places = words[word] or {}
      places[path] = (places[path] or 0) + 1
      words[word] = places
    end
  end
  return words
end

-- The functions of C files that are not static: name -> set of the paths that define it, by layout.
local function functions_for_others()
  local defined = {}
  for _, path in ipairs(tree("src", "*.c")) do
    for _, line in lines_of(path) do
      local other = line:find(";%s*$") or line:find("^static ") or line:find("^extern ")
      local name = not other and line:match("^%a[%w_ *]-([%w_]+)%(")
      if name then
        defined[name] = defined[name] or {}
        defined[name][path] = true
      end
    end
  end
  return defined
end

-- What one file alone calls is static there, so that the compiler can tell when nobody does.
function T.test_functions_for_others_are_called_by_others()
  local words, host = words_of(tree("src", "*.c", "*.h")), words_of { "src/luaaio.h" }
  local found, seen = {}, 0
  for name, paths in pairs(functions_for_others()) do
    local used, in_headers = host[name] or name:find("^luaopen_"), 0
    for path, times in pairs(words[name]) do
      if path:find("%.h$") then in_headers = in_headers + times end
      used = used or path:find("%.c$") and not paths[path]
    end
    seen = seen + 1
    if not used and in_headers <= 1 then -- the declaration
      found[#found + 1] = next(paths) .. ": " .. name
    end
  end
  lu.assertTrue(seen > 500)
  table.sort(found)
  expect_none(found)
end

-- The Lua files stand on the C module and each other; the shipped test kit is nobody's base.
function T.test_lua_files_require_only_aio()
  local found = {}
  for _, path in ipairs(tree("lua", "*.lua")) do
    for n, line in lines_of(path) do
      local code = line:gsub("%-%-.*", "")
      local name = code:match("^[^\"']*%f[%w_]require%s*%(?%s*[\"']([^\"']+)")
      local own = name and (name == "aio" or name:find("^aio%."))
      if name and not own or name == "aio.testing" then
        found[#found + 1] = ("%s:%d: requires %s"):format(path, n, name)
      end
    end
  end
  expect_none(found)
end

-- One file for each system instead of conditions: only such a file may name one, and headers.
function T.test_no_system_conditions()
  local found = {}
  for _, path in ipairs(tree("src", "*.c")) do
    local own = path:find("_unix%.c$") or path:find("_win%.c$") or path:find("_uv%.c$")
    for n, line in lines_of(path) do
      local condition = line:match("^%s*#%s*%w*if.*")
      if condition and not own and (condition:find("_WIN32") or condition:find("__APPLE__")) then
        found[#found + 1] = ("%s:%d: %s"):format(path, n, line)
      end
    end
  end
  expect_none(found)
end

-- The lists of src/sources.cmake: name to paths in the order written.
local function cmake_lists()
  local lists = {}
  for name, body in read("src/sources.cmake"):gmatch("set%(([%w_]+)%s([^)]*)%)") do
    lists[name] = {}
    for path in body:gmatch("%S+") do table.insert(lists[name], path) end
  end
  return lists
end

local function joined(lists, ...)
  local all = {}
  for _, name in ipairs({ ... }) do
    for _, path in ipairs(lists[name] or {}) do all[#all + 1] = path end
  end
  return all
end

local function sorted(list)
  local copy = table.move(list, 1, #list, 1, {})
  table.sort(copy)
  return copy
end

local function module_sources(lists)
  return joined(lists, "AIO_BASE_SOURCES", "AIO_CORE_SOURCES", "AIO_CORE_UNIX_SOURCES",
    "AIO_BIND_SOURCES")
end

-- The libraries beside the core: rock, module and the lists of what it is made of.
local LIBRARIES_BESIDE = {
  { rock = "aio-tls", module = "aio.tls",
    sources = { "AIO_BESIDE_SOURCES", "AIO_TLS_SOURCES" } },
  { rock = "aio-http", module = "aio.http.core", lua = "AIO_HTTP_LUA_FILES",
    sources = { "AIO_BESIDE_SOURCES", "AIO_PROTO_SOURCES", "AIO_HTTP_SOURCES" } },
  { rock = "aio-brotli", module = "aio.brotli",
    sources = { "AIO_CODEC_SOURCES", "AIO_BROTLI_SOURCES" } },
  { rock = "aio-zstd", module = "aio.zstd", sources = { "AIO_CODEC_SOURCES", "AIO_ZSTD_SOURCES" } },
  { rock = "aio-json", module = "aio.jansson", sources = { "AIO_JSON_SOURCES" } },
  { rock = "aio-zlib", module = "aio.zlib", sources = { "AIO_ZLIB_SOURCES" } },
}

function T.test_cmake_lists_are_the_tree()
  local lists = cmake_lists()
  local listed = joined(lists, "AIO_CORE_WINDOWS_SOURCES", "AIO_STATIC_SOURCES")
  local lua = joined(lists, "AIO_LUA_FILES")
  for _, path in ipairs(module_sources(lists)) do listed[#listed + 1] = path end
  local seen = {} -- some sources are compiled into several libraries
  for _, library in ipairs(LIBRARIES_BESIDE) do
    for _, path in ipairs(joined(lists, table.unpack(library.sources))) do
      if not seen[path] then listed[#listed + 1] = path end
      seen[path] = true
    end
    for _, path in ipairs(joined(lists, library.lua)) do lua[#lua + 1] = path end
  end
  lu.assertEquals(sorted(listed), sorted(tree("src", "*.c")))
  lu.assertEquals(sorted(lua), sorted(tree("lua", "*.lua")))
end

local function rockspec(name)
  local spec = {}
  assert(load(read(("rockspec/%s-scm-1.rockspec"):format(name)), "rockspec", "t", spec))()
  return spec
end

-- The modules of a rock: one of C, and the Lua files of a list.
local function expect_rock(name, module, sources, lua_list)
  local modules = rockspec(name).build.modules
  lu.assertEquals(sorted(modules[module].sources), sorted(sources))
  modules[module] = nil
  local expected = {}
  for _, path in ipairs(lua_list) do
    local loaded = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
    expected[loaded] = path
  end
  lu.assertEquals(modules, expected)
end

function T.test_rockspec_lists_are_cmakes()
  local lists = cmake_lists()
  expect_rock("aio", "aio.core", module_sources(lists), lists.AIO_LUA_FILES)
  for _, library in ipairs(LIBRARIES_BESIDE) do
    expect_rock(library.rock, library.module, joined(lists, table.unpack(library.sources)),
      joined(lists, library.lua))
  end
end

-- Samples begin with what they show, conformance programs with the line of what they are a port of.
function T.test_every_file_says_its_license_first()
  local found = {}
  for _, list in ipairs({ c_files, lua_files }) do
    for _, path in ipairs(list) do
      local head = read(path):gsub("^#![^\n]*\n", "")
      local sample = path:find("^bench/") or path:find("^examples/.*%.lua$")
        or path:find("^tests/conformance/")
      if not sample and not head:find("^[/%-][%*%-] SPDX%-License%-Identifier: MIT") then
        found[#found + 1] = path
      end
    end
  end
  expect_none(found)
end

function T.test_layout_of_files()
  local found = {}
  for _, list in ipairs({ c_files, lua_files }) do
    for _, path in ipairs(list) do
      local last = 0
      for n, line in lines_of(path) do
        last = n
        local wrong = utf8.len(line) and utf8.len(line) > MAX_COLUMNS and "too long"
          or line:find("^ *\t") and "indented by a tab" or line:find("%s$") and "blanks at the end"
        if wrong then found[#found + 1] = ("%s:%d: %s"):format(path, n, wrong) end
      end
      if last > MAX_LINES then found[#found + 1] = ("%s: %d lines"):format(path, last) end
    end
  end
  expect_none(found)
end

-- Lengths of the functions of a C file, by layout: a body ends at the first "}" in column one.
local function function_lengths(path, lengths)
  local start = nil
  for n, line in lines_of(path) do
    if line:find("^[%w_].*%)%s*{$") or (line:find("^%s+.*%)%s*{$") and not start) then start = n end
    if start and line == "}" then
      lengths[#lengths + 1] = n - start + 1
      start = nil
    end
  end
end

function T.test_functions_are_short()
  local lengths = {}
  for _, path in ipairs(tree("src", "*.c")) do function_lengths(path, lengths) end
  table.sort(lengths)
  lu.assertTrue(#lengths > 0)
  lu.assertTrue(lengths[math.ceil(#lengths * 0.9)] <= LONG_FUNCTION)
end

function T.test_nothing_is_left_open()
  local words = { "TO" .. "DO", "FIX" .. "ME", "XX" .. "X", "not " .. "implemented" }
  local found = {}
  for _, path in ipairs(tree("src lua tests examples", "*.c", "*.h", "*.lua")) do
    for n, line in lines_of(path) do
      for _, word in ipairs(words) do
        if line:find(word, 1, true) then found[#found + 1] = ("%s:%d: %s"):format(path, n, word) end
      end
    end
  end
  expect_none(found)
end

function T.test_conformance_programs_have_their_output()
  local programs, outputs = {}, {}
  for _, path in ipairs(env.glob("tests/conformance/*_*.lua")) do
    programs[#programs + 1] = path:match("([^/]*)%.lua$")
  end
  for _, path in ipairs(env.glob("tests/conformance/expected/*.txt")) do
    outputs[#outputs + 1] = path:match("([^/]*)%.txt$")
  end
  lu.assertEquals(programs, outputs)
end

-- libc has names that begin with aio_: ours are in nobody's way when none leaves the module.
function T.test_module_exports_only_its_opener()
  if not env.build then return lu.skip("no build directory") end
  for _, library in ipairs { "core", "tls", "http/core", "jansson", "zlib", "brotli",
    "zstd" } do
    local path = ("%s/aio/%s.so"):format(env.build, library)
    if library == "core" or env.exists(path) then
      local pipe = assert(io.popen("nm -D --defined-only " .. env.quote(path)))
      local names = {}
      for line in pipe:lines() do names[#names + 1] = line:match("(%S+)$") end
      lu.assertTrue(pipe:close())
      lu.assertEquals(names, { "luaopen_aio_" .. library:gsub("/", "_") })
    end
  end
end

return T
