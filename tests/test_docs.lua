-- SPDX-License-Identifier: MIT
-- The text is true: every Lua program in README.md and docs/ runs, and prints what the text says.
--
-- A ```lua block is a program, and runs in a process of its own. One that is only a part of a
-- program says so, ```lua fragment, and has to compile. In docs/api a block that does not require
-- "aio" is a fragment. When the next block is ```text, it is all that the program prints; "..."
-- in it stands for anything within a line, and as a line for any lines.

local env = require "support.env"
local lu = require "luaunit"

local SECONDS = tonumber(os.getenv("AIO_CASE_SECONDS") or 60)
local AT_ONCE = 4
local NAME = "demo.lua" -- what a program sees itself called
local UNBUFFERED = [[-e 'io.stdout:setvbuf "no"' ]] -- so that both outputs come in their order

-- The fenced blocks of a page: { kind = "lua fragment", line = , text = }.
local function blocks_of(path)
  local found, block, n = {}, nil, 0
  for line in io.lines(env.root .. "/" .. path) do
    n = n + 1
    local fence = line:match("^%s*```(.*)$")
    if fence and block then
      block.text = table.concat(block, "\n") .. "\n"
      found[#found + 1], block = block, nil
    elseif fence then
      block = { kind = fence, line = n, page = path }
    elseif block then
      block[#block + 1] = line
    end
  end
  lu.assertNil(block, path .. ": the last block has no end")
  return found
end

local function is_program(block)
  if block.kind ~= "lua" then return false end
  return not block.page:find("^docs/api/") or block.text:find('require%s*%(?"aio"') ~= nil
end

-- A Lua pattern for a whole output with "..." in it.
local function pattern_of(text)
  local pattern = text:gsub("%p", "%%%0"):gsub("\n%s*%%%.%%%.%%%.\n", "\n\0")
  return "^" .. pattern:gsub("%%%.%%%.%%%.", "[^\n]*"):gsub("\0", ".*") .. "$"
end

local T = { elsewhere = true }

local function start(block, dir, i)
  local folder = ("%s/%d"):format(dir, i)
  assert(os.execute("mkdir " .. env.quote(folder)))
  local file = assert(io.open(folder .. "/" .. NAME, "w"))
  file:write(block.text)
  file:close()
  local command = env.command(UNBUFFERED .. NAME)
  local shell = ("cd %s && exec 2>&1 && exec env %s"):format(env.quote(folder), command)
  local pipe = io.popen(("timeout %d sh -c %s"):format(SECONDS, env.quote(shell)))
  return { pipe = pipe, block = block, place = ("%s:%d"):format(block.page, block.line) }
end

local function finish(program)
  local text = program.pipe:read("a")
  local ok, how, code = program.pipe:close()
  local place, expected = program.place, program.block.expected
  if not ok then lu.fail(("%s: ended with %s %d\n%s"):format(place, how, code, text)) end
  if expected and not text:find(pattern_of(expected)) then
    lu.assertEquals(text, expected, place .. " prints something else")
  end
end

-- Programs run a few at a time: most of them only sleep.
local function run_all(programs)
  local pipe = assert(io.popen("mktemp -d"))
  local dir = pipe:read("l")
  pipe:close()
  local _ <close> = setmetatable({}, { __close = function()
    os.execute("rm -r " .. env.quote(dir))
  end })
  local running = {}
  for i, block in ipairs(programs) do
    if #running == AT_ONCE then finish(table.remove(running, 1)) end
    running[#running + 1] = start(block, dir, i)
  end
  for _, program in ipairs(running) do finish(program) end
end

local function check_page(page)
  local programs, blocks = {}, blocks_of(page)
  for i, block in ipairs(blocks) do
    local following = blocks[i + 1]
    if is_program(block) then
      if following and following.kind == "text" then block.expected = following.text end
      programs[#programs + 1] = block
    elseif block.kind:find("^lua") then
      lu.assertTrue(block.kind == "lua" or block.kind == "lua fragment", block.kind)
      local fn, err = load(block.text, ("=%s:%d"):format(page, block.line), "t")
      lu.assertNotNil(fn, err)
    end
  end
  run_all(programs)
end

local pages = env.glob("README.md docs/*.md docs/api/*.md")

-- One case for each page: test_README, test_docs_guide, test_docs_api_queue.
for _, page in ipairs(pages) do
  T["test_" .. page:gsub("%.md$", ""):gsub("[/.]", "_")] = function() check_page(page) end
end

-- What a heading is called in a link to it.
local function anchor(heading)
  local text = heading:gsub("`", ""):lower()
  return (text:gsub("[^%w\128-\255 _-]", ""):gsub(" ", "-"))
end

local function has_anchor(path, wanted)
  for line in io.lines(path) do
    local heading = line:match("^#+%s+(.*)$")
    if heading and anchor(heading) == wanted then return true end
  end
  return false
end

-- A link of a page, as it is written; nil when it leads somewhere.
local function dead(page, link)
  local path, at = link:match("^([^#]*)#?(.*)$")
  local folder = page:match("^(.*/)") or ""
  local full = env.root .. "/" .. (path == "" and page or folder .. path)
  if not os.execute("test -e " .. env.quote(full)) then return link end
  if at ~= "" and not has_anchor(full, at) then return link end
  return nil
end

function T.test_links_lead_somewhere()
  local found = {}
  for _, page in ipairs(pages) do
    local text = env.read(env.root .. "/" .. page):gsub("```.-```", "")
    for link in text:gmatch("%]%(([^)%s]+)%)") do
      local wrong = not link:find("^%a+://") and dead(page, link)
      if wrong then found[#found + 1] = page .. ": " .. wrong end
    end
  end
  lu.assertEquals(found, {})
end

-- The chapters of a page, and what its numbered contents, if it has any, say of them.
local function chapters_of(page)
  local chapters, contents, number = {}, {}, 0
  for line in io.lines(env.root .. "/" .. page) do
    local title = line:match("^## (.*)$")
    if title then chapters[#chapters + 1] = title end
    local n, named = line:match("^(%d+)%. %[(.-)%]%(#")
    if n and tonumber(n) == number + 1 and #chapters == 0 then
      contents[#contents + 1], number = named, number + 1
    end
  end
  return chapters, contents
end

function T.test_contents_name_every_chapter()
  local seen = 0
  for _, page in ipairs(pages) do
    local chapters, contents = chapters_of(page)
    if #contents > 0 then
      lu.assertEquals(contents, chapters, page)
      seen = seen + 1
    end
  end
  lu.assertTrue(seen >= 4, "the guides have contents")
end

-- Behind a table or a paragraph without an empty line a heading is a part of it to some readers.
function T.test_headings_stand_alone()
  local found = {}
  for _, page in ipairs(pages) do
    local text, before = env.read(env.root .. "/" .. page):gsub("\n```.-\n```", "\n"), ""
    for line in text:gmatch("([^\n]*)\n") do
      local alone = before == "" or before:find "^#+ "
      if line:find "^#+ " and not alone then found[#found + 1] = page .. ": " .. line end
      before = line
    end
  end
  lu.assertEquals(found, {})
end

-- Whoever configures a build finds each of its options on one of two pages.
function T.test_options_of_cmake_are_documented()
  local text = env.read(env.root .. "/README.md") .. env.read(env.root .. "/docs/contributing.md")
  local seen, missing = 0, {}
  for line in io.lines(env.root .. "/CMakeLists.txt") do
    local name = line:match("^option%((AIO_[%u_]+)") or line:match("^set%((AIO_[%u_]+) .* CACHE ")
    if name then
      seen = seen + 1
      if not text:find(name .. "%f[^%u_]") then missing[#missing + 1] = name end
    end
  end
  lu.assertTrue(seen > 10)
  lu.assertEquals(missing, {})
end

-- A guide and its translation have the same chapters and the same programs.
function T.test_guides_go_together()
  local function shape(page)
    local chapters, programs = 0, 0
    for line in io.lines(env.root .. "/" .. page) do
      if line:find("^## ") then chapters = chapters + 1 end
    end
    for _, block in ipairs(blocks_of(page)) do
      if is_program(block) then programs = programs + 1 end
    end
    return { chapters = chapters, programs = programs }
  end
  for _, guide in ipairs { "docs/guide", "docs/guide_http" } do
    lu.assertEquals(shape(guide .. ".zh.md"), shape(guide .. ".md"))
  end
end

-- Every page can be reached from the index.
function T.test_index_names_every_page()
  local index, missing = env.read(env.root .. "/docs/README.md"), {}
  for _, page in ipairs(pages) do
    local link = page:match("^docs/(.*)$")
    if link and link ~= "README.md" and not index:find("(" .. link .. ")", 1, true) then
      missing[#missing + 1] = link
    end
  end
  lu.assertEquals(missing, {})
end

-- What is shown in C compiles, when it is a whole program.
function T.test_c_samples_compile()
  for _, page in ipairs(pages) do
    for _, block in ipairs(blocks_of(page)) do
      if block.kind == "c" and block.text:find("int main", 1, true) then
        local command = ("cc -std=c11 -Wall -Wextra -Werror -fsyntax-only -I%s %s -x c -"):format(
          env.quote(env.root .. "/src"), "$(pkg-config --cflags lua5.4)")
        local pipe = assert(io.popen(command, "w"))
        pipe:write(block.text)
        lu.assertTrue(pipe:close(), ("%s:%d"):format(page, block.line))
      end
    end
  end
end

return T
