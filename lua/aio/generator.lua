-- SPDX-License-Identifier: MIT
--
-- Async generators: a body that yields values and may wait between them. It runs in a thread of
-- aio.coroutine, in whatever task asks for the next value. A loop knows the generators that were
-- started in it, and closes at shutdown those that are left open.

local core = require "aio.core"
local check = require "aio.check"

local M = {}

local coroutine = core.coroutine
local resume, in_thread = coroutine.resume, core._in_thread

local Generator = {}
Generator.__index = Generator
Generator.__name = "Generator"

local started = 0 -- numbers the generators: at shutdown they are closed in this order

local function check_self(g, name)
  check.arg(type(g) == "table" and getmetatable(g) == Generator, 1, name,
    "Generator expected, got " .. type(g))
end

-- ---- the body's side ----

-- What a `yield` returns: the values sent, or an error when the generator is being closed.
local function received(g, ...)
  local exit = g._exit
  if exit then
    g._exit = nil
    error(exit, 0)
  end
  return ...
end

local function make_yield(g)
  return function(...)
    if not in_thread(g._thread) then
      check.state "yield was called outside of its generator's own body"
    end
    return received(g, coroutine.yield(...))
  end
end

-- ---- the consumer's side ----

-- The generators of a loop that have started and not ended.
local function registry(loop)
  local fields = loop:_fields()
  if not fields.generators then
    fields.generators = setmetatable({}, { __mode = "k" })
  end
  return fields.generators
end

local function begin(g)
  started = started + 1
  g._number = started
  local loop = core._running()
  if not loop then return end
  g._loop = loop
  registry(loop)[g] = true
end

local function finish(g)
  g._state = "closed"
  if g._loop then registry(g._loop)[g] = nil end
end

-- After a resume: hands on what the body yielded, returned or raised.
local function stepped(g, ok, ...)
  g._running = nil
  if not ok then
    finish(g)
    error((...), 0)
  end
  if coroutine.status(g._thread) ~= "dead" then return ... end
  finish(g)
  return nil
end

local function advance(g, name, ...)
  if g._running then
    check.state(name .. ": this generator is running already; another task waits for its next "
      .. "value")
  end
  if g._state == "closed" then return nil end
  g._running = true
  if g._state == "open" then return stepped(g, resume(g._thread, ...)) end
  g._state = "open"
  begin(g)
  return stepped(g, resume(g._thread, g._yield, table.unpack(g._args, 1, g._args.n)))
end

--- A generator that has not started: `for x in aio.generator(fn) do`. Its body `fn(yield, ...)`
--- runs from one value to the next when it is called; `yield(...)` hands out values and returns
--- what `g:send(...)` gave.
---@param fn function
---@param ... any its arguments behind `yield`
---@return table Generator
function M.generator(fn, ...)
  check.arg(check.callable(fn), 1, "generator", "function expected, got " .. type(fn)
    .. "; did you call it? write generator(fn, 1)")
  local g = setmetatable({ _state = "new", _args = table.pack(...) }, Generator)
  local loop = core._running()
  if loop and loop:get_debug() then
    g._where = core._where()
    core._note_made(g)
  end
  g._yield = make_yield(g)
  g._thread = coroutine.create(type(fn) == "function" and fn or function(...) return fn(...) end)
  return g
end

--- The next values; nil after the end. An error in the body is raised, and ends it. RuntimeError
--- while another task waits for a value. What a `for` passes is ignored. [may suspend]
---@return any ...
function Generator:__call() return advance(self, "generator") end

--- As a call, but `yield` returns these values. RuntimeError before the start, where no `yield`
--- waits for them (nil alone is allowed: it starts the body). [may suspend]
---@param ... any
---@return any ...
function Generator:send(...)
  check_self(self, "send")
  if self._state == "new" and (...) ~= nil then
    check.state "send: the body has not reached a yield yet; call the generator first"
  end
  return advance(self, "send", ...)
end

--- Ends the generator: GeneratorExit is raised at the `yield` where it stands, and its cleanup is
--- waited for. Nothing happens when it has not started or has ended. RuntimeError while it runs, or
--- when the body goes on to yield. [may suspend]
function Generator:close()
  check_self(self, "close")
  if self._running then
    check.state "close: this generator is running; cancel the task that waits for its next value"
  end
  if self._state ~= "open" then
    finish(self)
    return
  end
  self._exit = core.GeneratorExit()
  local ok, err = pcall(advance, self, "close")
  self._exit = nil
  if not ok and not core.is(err, core.GeneratorExit) then error(err, 0) end
  if self._state ~= "closed" then
    check.state "the generator ignored GeneratorExit: its body yielded while it was being closed"
  end
end

--- For a loop that closes the generator however it is left: `for x in g:closing() do`.
---@return table, nil, nil, table
function Generator:closing()
  check_self(self, "closing")
  return self, nil, nil, self
end

Generator.__close = Generator.close

-- ---- left open ----

-- For the leak check.
function Generator._left(self) return self._state == "open" and "generator" end

-- Closes without raising: nobody is there to hear of an error.
local function close_quietly(g)
  local ok, err = core.pcall(g.close, g)
  if ok then return end
  g._loop:call_exception_handler {
    message = "an error while a generator that was left open was closed",
    exception = err, kind = "callback_error",
  }
end

local function report_open(loop, where)
  loop:call_exception_handler {
    message = ("a generator made at %s was left open; write `for x in g:closing() do`, or close it")
      :format(where),
    kind = "unclosed", level = "warning",
  }
end

-- A generator that nobody can reach any more is closed by a task of its loop.
function Generator:__gc()
  local loop = self._loop
  if self._state ~= "open" or not loop or loop:is_closed() then return end
  if loop:_fields().generators_closed then return end
  if self._where then loop:call_soon(report_open, loop, self._where) end
  core._task(loop, nil, close_quietly, self)
end

--- Closes the generators that are still open, all at the same time, begun in the order in which
--- they started. Errors go to the exception handler. [suspends]
function core._Loop:shutdown_asyncgens()
  local fields = self:_fields()
  fields.generators_closed = true
  local open = {}
  for g in pairs(registry(self)) do open[#open + 1] = g end
  table.sort(open, function(a, b) return a._number < b._number end)
  local tasks = {}
  for i, g in ipairs(open) do tasks[i] = core._task(self, nil, close_quietly, g) end
  for _, task in ipairs(tasks) do task:await() end
end

return M
