-- SPDX-License-Identifier: MIT
--
-- Several programs, each reading what the one before writes. The pipes between them are the
-- system's: this process does not carry the bytes.

local core = require "aio.core"
local check = require "aio.check"
local process = require "aio.process"
local scope = require "aio.scope"
local stdio = require "aio.stdio"

local M = {}

local NAME = "pipeline"
local OPTIONS = {
  stdin = true, stdout = true, stderr = true, input = "string", cwd = "string", env = "table",
  extra_env = "table", uid = "number", gid = "number", new_session = "boolean", limit = "number",
}

-- A pipe whose ends are closed with the stack at the latest.
local function pipe(stack)
  local from, to = core._pipe_ends()
  if not from then error(to, 0) end
  stack:enter(from)
  stack:enter(to)
  return from, to
end

-- The options of command `i`: its own named fields, else those of all.
local function options_of(command, i, count, opts)
  local set = {}
  for key, value in pairs(opts) do
    if key ~= "input" and key ~= "stdin" and key ~= "stdout" then set[key] = value end
  end
  for key, value in pairs(command) do
    if type(key) == "string" then
      check.arg(key ~= "stdin" and key ~= "stdout", 1, NAME,
        ("command %d: option '%s' is for the whole pipeline"):format(i, key))
      set[key] = value
    end
  end
  if i == 1 then set.stdin = opts.input and process.PIPE or opts.stdin end
  if i == count then set.stdout = opts.stdout end
  return set
end

local function check_command(command, i)
  check.arg(type(command) == "table" and #command > 0, 1, NAME,
    ("command %d: a list { program, argument... } expected"):format(i))
  local words = {}
  for k, word in ipairs(command) do
    check.arg(type(word) == "string" or type(word) == "number", 1, NAME,
      ("command %d: word %d: string expected, got %s"):format(i, k, type(word)))
    words[k] = tostring(word)
    check.arg(words[k] ~= "" or k > 1, 1, NAME,
      ("command %d: name or path of a program expected"):format(i))
    check.arg(not words[k]:find("\0", 1, true), 1, NAME,
      ("command %d: words without a zero byte expected"):format(i))
  end
  return words
end

-- Checks everything before anything is started.
local function specs_of(commands, opts)
  check.arg(type(commands) == "table" and #commands > 0, 1, NAME,
    "list of commands { { program, argument... }, ... } expected")
  check.arg(type(opts) ~= "table" or opts[1] == nil, 2, NAME,
    "table of options expected, got a list; all commands stand in one list")
  opts = check.options(opts, OPTIONS, 2, NAME)
  check.arg(not (opts.input and opts.stdin), 2, NAME, "either 'input' or 'stdin', not both")
  local specs = {}
  for i, command in ipairs(commands) do
    local words = check_command(command, i)
    local spec, set = process.spec(words, options_of(command, i, #commands, opts), 2, NAME)
    specs[i] = { spec = spec, opts = set }
  end
  return specs, opts
end

-- All write their errors into one pipe; the stream of its other end.
local function shared_errors(specs, stack, limit)
  local from, to = pipe(stack)
  for _, one in ipairs(specs) do
    if one.spec[2] == "pipe" then one.spec[2] = to:_fileno() end
  end
  local conn = stack:enter(stdio.connect_pipe(from:_fileno(), { limit = limit }))
  from:_detach() -- the stream closes it
  return conn, to
end

local function start_all(specs, stack)
  local running, from = {}, nil
  for i, one in ipairs(specs) do
    local last_end = from
    if last_end then one.spec[0] = last_end:_fileno() end
    local to
    if i < #specs then
      from, to = pipe(stack)
      one.spec[1] = to:_fileno()
    end
    running[i] = stack:enter(process.start(one.spec, one.opts))
    if last_end then last_end:_close() end
    if to then to:_close() end
  end
  return running
end

--- Starts several programs, each reading what the one before writes, and waits for all of them.
--- [suspends] On an error or a cancellation those that run are killed. Raises OSError when one of
--- them cannot be started.
---@param commands table[] list of { program, argument... }; named fields are options for that one:
---  cwd, env, extra_env, uid, gid, stderr
---@param opts? table input (a string for the first), stdin (of the first), stdout (of the last),
---  stderr (of all), and cwd, env, extra_env, uid, gid, new_session, limit for all
---@return table codes the exit codes in order, with n
---@return string|nil out what the last wrote, with stdout=aio.PIPE
---@return string|nil err what all wrote there, with stderr=aio.PIPE
function M.pipeline(commands, opts)
  local specs, set = specs_of(commands, opts)
  local stack <close> = scope.ExitStack()
  local errors, errors_end
  if set.stderr == process.PIPE then errors, errors_end = shared_errors(specs, stack, set.limit) end
  local running = start_all(specs, stack)
  if errors_end then errors_end:_close() end
  local reader <close> = errors and core.create_task(errors.read, errors, "a") or nil
  local first, last = running[1], running[#running]
  if first ~= last and first.stdin then
    local stdin = first.stdin
    core.catch(core.OSError, stdin.write_nowait, stdin, set.input)
    stdin:close()
  end
  local out = last:communicate(first == last and set.input or nil)
  local codes = { n = #running }
  for i, p in ipairs(running) do codes[i] = p:wait() end
  return codes, out, reader and reader:await() or nil
end

return M
