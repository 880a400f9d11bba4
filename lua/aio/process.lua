-- SPDX-License-Identifier: MIT
--
-- Subprocesses: the options, communicate, and streams as a child's input and output. Starting,
-- waiting and signals are in C (bind/process.c).

local core = require "aio.core"
local check = require "aio.check"
local many = require "aio.many"
local stream = require "aio.stream"

local M = {}
local Process = core._Process

--- A pipe, whose other end is a stream of the process object.
M.PIPE = -1
--- stderr goes where stdout goes.
M.STDOUT = -2
--- Nothing comes from it, and what goes there is lost.
M.DEVNULL = -3

M.WINDOWS = package.config:sub(1, 1) == "\\"
local NAMES = { [0] = "stdin", "stdout", "stderr" }
local CHUNK = 65536 -- bytes that are carried at once

-- ---- options ----

local OPTIONS = {
  stdin = true, stdout = true, stderr = true, cwd = "string", env = "table", extra_env = "table",
  uid = "number", gid = "number", detached = "boolean", new_session = "boolean", limit = "number",
}

local function no_zero(s, what, n, name)
  check.arg(not s:find("\0", 1, true), n, name, what .. " without a zero byte expected")
end

-- A word of the command line.
local function check_word(x, what, n, name)
  if type(x) == "number" then x = tostring(x) end
  check.arg(type(x) == "string", n, name, ("%s: string expected, got %s"):format(what, type(x)))
  no_zero(x, what, n, name)
  return x
end

-- What a file, an object with fileno() or a number stands for: its descriptor.
local function descriptor(x, option, n, name)
  local fd = x
  if io.type(x) then
    fd = core._fileno(x)
    check.arg(fd, n, name, ("option '%s': an open file expected, got a closed one"):format(option))
    pcall(x.flush, x) -- what was written to it goes before what the program writes
  elseif type(x) ~= "number" then
    local ok, fileno = pcall(function() return x.fileno end)
    check.arg(ok and check.callable(fileno), n, name, ("option '%s': aio.PIPE, aio.DEVNULL, a "
      .. "file, a stream or a descriptor expected, got %s"):format(option, type(x)))
    if getmetatable(x) == core._File then x:flush() end
    fd = fileno(x)
  end
  local integer = math.tointeger(fd)
  check.arg(integer and integer >= 0 and integer < 2 ^ 31, n, name,
    ("option '%s': a descriptor, 0 or above, expected, got %s"):format(option, tostring(fd)))
  return integer
end

local function is_stream(x) return getmetatable(x) == core._Stream end

local function check_stdio(spec, opts, n, name)
  for i, option in pairs(NAMES) do
    local x = opts[option]
    if x == nil then
      spec[i] = "inherit"
    elseif x == M.PIPE then
      spec[i] = "pipe"
    elseif x == M.DEVNULL then
      spec[i] = "null"
    elseif x == M.STDOUT then
      check.arg(i == 2, n, name, ("option '%s': aio.STDOUT is for stderr only"):format(option))
      spec[i] = "same"
    elseif is_stream(x) then
      if x:is_closing() then
        check.state(("option '%s': this stream is closed"):format(option))
      end
      spec[i] = "feed"
    else
      spec[i] = descriptor(x, option, n, name)
    end
  end
end

local function check_env(env, option, allow_false, n, name)
  for key, value in pairs(env) do
    check.arg(type(key) == "string" and key ~= "" and not key:find("[=%z]"), n, name,
      ("option '%s': names without '=' expected, got %s"):format(option, tostring(key)))
    check.arg(type(value) == "string" or type(value) == "number" or allow_false and value == false,
      n, name, ("option '%s': string for '%s' expected, got %s"):format(option, key, type(value)))
    if value then no_zero(tostring(value), "option '" .. option .. "': a value", n, name) end
  end
end

-- The environment as a list of "NAME=value", or nil for the one of this process.
local function environment(opts, n, name)
  if not opts.env and not opts.extra_env then return nil end
  check_env(opts.env or {}, "env", false, n, name)
  check_env(opts.extra_env or {}, "extra_env", true, n, name)
  local all, list = {}, {}
  for key, value in pairs(opts.env or core._environ()) do all[key] = value end
  for key, value in pairs(opts.extra_env or {}) do all[key] = value or nil end
  for key, value in pairs(all) do list[#list + 1] = key .. "=" .. value end
  table.sort(list)
  return list
end

local function check_id(opts, option, n, name)
  local id = opts[option]
  if id == nil then return nil end
  local integer = math.tointeger(id)
  check.arg(integer and integer >= 0 and integer < 2 ^ 32, n, name,
    ("option '%s': a number, 0 or above, expected, got %s"):format(option, tostring(id)))
  return integer
end

--- What core._spawn wants: the program, its words and the options, checked as argument `n`.
---@param words string[] the program first
function M.spec(words, opts, n, name)
  opts = check.options(opts, OPTIONS, n, name)
  if opts.cwd then no_zero(opts.cwd, "option 'cwd': a path", n, name) end
  local spec = {
    file = words[1], args = words, env = environment(opts, n, name), cwd = opts.cwd,
    uid = check_id(opts, "uid", n, name), gid = check_id(opts, "gid", n, name),
    new_session = opts.new_session, detached = opts.detached,
    limit = stream.check_limit(opts.limit, n, name),
  }
  check_stdio(spec, opts, n, name)
  return spec, opts
end

-- ---- streams as input and output ----

local function gone(err)
  return core.is(err, core.OSError, core.RuntimeError)
end

-- Carries all that comes from one stream to another. One that is closed or whose peer has gone is
-- the end of it: for the program that shows as the end of its input, or as a broken pipe.
local function carry(from, to)
  local ok, err = core.pcall(function()
    for data in function() return from:read(CHUNK) end do to:write(data) end
  end)
  if not ok and not gone(err) then error(err, 0) end
end

local function feed_stdin(box, from)
  local p = box.process
  if not p then return end
  local to = core._process_fields(p)._stdin
  local _ <close> = setmetatable({}, { __close = function() to:close() end })
  many.race(function() p:wait() end, function() carry(from, to) end)
end

local function carry_out(box, field, to)
  if not box.process then return end
  local from = core._process_fields(box.process)[field]
  local _ <close> = setmetatable({}, { __close = function() from:abort() end })
  carry(from, to)
end

-- The tasks that carry, made before the process is: they find it in box.process.
local function start_carriers(opts, box)
  local tasks
  for i, option in pairs(NAMES) do
    local x = opts[option]
    if is_stream(x) then
      tasks = tasks or {}
      tasks[#tasks + 1] = i == 0 and core.create_task(feed_stdin, box, x)
        or core.create_task(carry_out, box, "_" .. option, x)
    end
  end
  return tasks
end

-- ---- starting ----

local function spawn_error(err, spec)
  local reason, blamed = err.message:gsub("^%w+: ", ""), spec.file
  if err.syscall == "spawn" then
    if spec.cwd and core._path_kind(spec.cwd) ~= "directory" then
      blamed = spec.cwd
      reason = ("there is no working directory '%s'"):format(spec.cwd)
    elseif err.code == "EACCES" and core._path_kind(spec.file) == "directory" then
      reason = "it is a directory"
    elseif err.code == "ENOENT" and #spec.args == 1 and spec.file:find "%s" then
      reason = reason .. "; program and arguments are strings of their own: \"ls\", \"-l\""
    end
  end
  err.message = ("cannot run '%s': %s"):format(spec.file, reason)
  err.filename = blamed
  return err
end

--- Starts what M.spec has checked. Once the process runs nothing can fail.
function M.start(spec, opts)
  local box = { process = false }
  local tasks = start_carriers(opts, box)
  local p, err = core._spawn(spec)
  if not p then error(spawn_error(err, spec), 0) end
  box.process = p
  if tasks then core._process_fields(p)._carriers = tasks end
  return p
end

--- The words of a command line, checked; their number; the options behind them.
---@param before integer how many arguments of `name` come before them
function M.words(name, before, ...)
  local words, n = { ... }, select("#", ...)
  local opts = nil
  if n > 1 and type(words[n]) == "table" then
    opts, words[n] = words[n], nil
    n = n - 1
  end
  check.arg(type(words[1]) ~= "table" or n ~= 1, before + 1, name,
    "program: string expected, got table; write table.unpack(list) for a list of words")
  for i = 1, n do
    local what = i == 1 and "program" or "argument of the program"
    words[i] = check_word(words[i], what, before + i, name)
  end
  check.arg(n > 0 and words[1] ~= "", before + 1, name, "name or path of a program expected")
  return words, n, opts
end

--- The words that make the shell run a command.
function M.shell_words(cmd, n, name)
  cmd = check_word(cmd, "command", n, name)
  if M.WINDOWS then return { "cmd.exe", "/d", "/s", "/c", '"' .. cmd .. '"' } end
  return { "/bin/sh", "-c", cmd }
end

--- Starts a program. [does not wait until it ends] Raises OSError that names the program: ENOENT,
--- EACCES, E2BIG, EAGAIN, EMFILE...
---@param program string a path, or a name that is looked for in PATH
---@param ... string|table the program's arguments, then perhaps a table of options: stdin, stdout,
---  stderr (aio.PIPE, aio.DEVNULL, aio.STDOUT, a file, a stream, a descriptor; nil: those of this
---  process), cwd, env (name -> value: all that the program gets), extra_env (beside what it would
---  get; false removes), uid, gid, new_session, detached, limit (65536 bytes in a line)
---@return table process
function M.create_subprocess_exec(program, ...)
  local name = "create_subprocess_exec"
  local words, n, opts = M.words(name, 0, program, ...)
  local spec, checked = M.spec(words, opts, n + 1, name)
  return M.start(spec, checked)
end

--- Starts a command line of the shell (`/bin/sh -c`; on Windows cmd.exe). [does not wait until it
--- ends] Whatever is put into the command the shell interprets: for file names and the like take
--- create_subprocess_exec. Raises OSError.
---@param cmd string
---@param opts? table as of create_subprocess_exec
---@return table process
function M.create_subprocess_shell(cmd, opts)
  local name = "create_subprocess_shell"
  local spec, checked = M.spec(M.shell_words(cmd, 1, name), opts, 2, name)
  spec.verbatim = M.WINDOWS
  return M.start(spec, checked)
end

-- ---- communicate ----

-- Hands the input over and ends it. A program that does not want it is no error.
local function feed(p, fields, input)
  local stdin = fields.stdin
  if fields._fed or not stdin then return end
  if input ~= nil and not (stdin:is_closing() and p.returncode) then
    local ok, err = core.catch(core.OSError, stdin.write_nowait, stdin, input)
    if not ok and err.code ~= "EPIPE" and err.code ~= "ECONNRESET" then error(err, 0) end
  end
  fields._fed, fields._input = true, input
  stdin:close()
end

-- Called again, it may say the same; anything else would be lost.
local function check_unfed(fields, input)
  if not fields._fed or input == fields._input then return end
  check.state("the input was ended by an earlier communicate; call it again without input, or with "
    .. "the same, or write to process.stdin before")
end

-- Reads an output to its end. What was read is kept: the one who called may be cancelled meanwhile.
local function take(fields, got, name)
  local conn = fields[name]
  if not conn or got[name] then return end
  got[name] = conn:read("a")
  conn:close()
end

local function await_all(tasks)
  for _, task in ipairs(tasks or {}) do task:await() end
end

local function await_fed(stdin)
  if not stdin then return end
  core.catch(core.OSError, stdin.wait_closed, stdin)
end

--- Gives the program its input and ends it, reads its outputs to their ends, side by side, so that
--- no pipe can fill up, and waits for the program. [suspends] Cancelled, it loses nothing: called
--- again it goes on. Outputs that somebody else, a program started by this one, keeps open are
--- waited for.
---@param input? string for a process with stdin=aio.PIPE
---@return string|nil out all that came, nil without stdout=aio.PIPE
---@return string|nil err the same of stderr
function Process:communicate(input)
  local fields = core._process_fields(self)
  if input ~= nil then
    check.arg(type(input) == "string", 1, "communicate", "string expected, got " .. type(input))
    check.arg(fields.stdin, 1, "communicate",
      "there is no input to give it to; start the process with stdin=aio.PIPE")
    check_unfed(fields, input)
  end
  fields._got = fields._got or { stdout = false, stderr = false }
  local got = fields._got
  do
    local other <close> = fields.stdout and fields.stderr
      and core.create_task(take, fields, got, "stderr") or nil
    feed(self, fields, input)
    take(fields, got, "stdout")
    if other then other:await() else take(fields, got, "stderr") end
  end
  await_fed(fields.stdin)
  await_all(fields._carriers)
  self:wait()
  return got.stdout or nil, got.stderr or nil
end

M.Process = Process

return M
