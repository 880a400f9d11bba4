-- SPDX-License-Identifier: MIT
--
-- Seeing inside: where a task stands, what it waits for, who waits for it. Made from the stacks of
-- the suspended threads when somebody asks, so that it costs nothing otherwise. A task that waits
-- is suspended inside one of aio's C functions, whose first argument is what it waits for.

local core = require "aio.core"
local check = require "aio.check"
local origin = require "aio.origin"

local M = {}

local Task = core._Task
local extra = core._extra

local source = debug.getinfo(1, "S").source
local OURS = source:match "^@builtin/" and "@builtin/aio/" or (source:gsub("inspect%.lua$", ""))

-- Longer tracebacks are not extended by those who wait for the error.
local LONGEST = 16384

-- ---- frames ----

local function is_ours(info) return info.what == "C" or info.source:sub(1, #OURS) == OURS end

-- The threads of a task, its own first, then those of aio.coroutine inside it.
local function threads_of(task)
  local _, _, _, thread = core._info(task)
  local threads = {}
  while thread do
    threads[#threads + 1] = thread
    thread = core._inner_thread(thread)
  end
  return threads
end

local function frame_of(info)
  return { source = info.short_src, line = info.currentline, name = info.name, what = info.what,
    linedefined = info.linedefined }
end

-- The user's frames of a task, newest first.
local function frames_of(task)
  local frames, threads = {}, threads_of(task)
  for i = #threads, 1, -1 do
    local level = 0
    local info = debug.getinfo(threads[i], level, "Slnt")
    while info do
      if not is_ours(info) then frames[#frames + 1] = frame_of(info) end
      level = level + 1
      info = debug.getinfo(threads[i], level, "Slnt")
    end
  end
  if #frames == 0 and not task:done() and not core._info(task) then
    local fn = debug.getuservalue(task, 3) -- what it will run
    if type(fn) == "function" then
      local info = debug.getinfo(fn, "S")
      frames[1] = { source = info.short_src, line = info.linedefined, what = info.what,
        linedefined = info.linedefined }
    end
  end
  return frames
end

local function limited(frames, limit)
  if limit then
    for i = #frames, limit + 1, -1 do frames[i] = nil end
  end
  return frames
end

local function describe_frame(f)
  local where = f.line > 0 and ("%s:%d"):format(f.source, f.line) or f.source
  if f.what == "main" then return where .. ": in main chunk" end
  if f.name then return ("%s: in function '%s'"):format(where, f.name) end
  return ("%s: in function <%s:%d>"):format(where, f.source, f.linedefined)
end

local function frame_lines(frames, indent)
  local lines = {}
  for i, f in ipairs(frames) do lines[i] = indent .. describe_frame(f) end
  if #lines == 0 then lines[1] = indent .. "(no Lua function)" end
  return table.concat(lines, "\n")
end

-- ---- what a task waits for ----

-- "Queue:get" for a method of a class of ours.
local function method_name(object, fn)
  local mt = debug.getmetatable(object)
  local methods = type(mt.__index) == "table" and mt.__index or mt
  for name, value in pairs(methods) do
    if value == fn and type(name) == "string" then
      return ("%s:%s"):format(mt.__name or type(object), name)
    end
  end
  return mt.__name
end

local function function_name(fn)
  for name, value in pairs(core) do
    if value == fn then return "aio." .. name:gsub("^_", "") end
  end
end

-- The function in which a task waits and its first argument; nil when it does not wait.
local function waiting_call(task)
  local _, _, waits = core._info(task)
  if not waits then return nil end
  local threads = threads_of(task)
  local thread = threads[#threads]
  local info = thread and debug.getinfo(thread, 0, "f")
  if not info then return nil end
  local _, object = debug.getlocal(thread, 0, 1)
  return info.func, object
end

local function list_of(t)
  local list = {}
  for _, x in pairs(t) do
    if core.isfuture(x) then list[#list + 1] = x end
  end
  return list
end

-- What the task waits for: a name, the futures, and the object where it is no future.
local function waits_for(task)
  local fn, object = waiting_call(task)
  if not fn then return nil, {} end
  if fn == core._gather then return "aio.gather", list_of(object) end
  if core.isfuture(object) then
    local of = extra(object, "of") -- a future made only to wait for these
    if of then return extra(object, "by") or "await", list_of(of) end
    return "await", { object }
  end
  if type(object) == "userdata" then return method_name(object, fn), {}, object end
  return function_name(fn) or "a wait", {}
end

-- ---- who waits for a future ----

local function by_number(a, b) return select(2, core._info(a)) < select(2, core._info(b)) end

local function all_tasks(loop)
  local tasks = core.all_tasks(loop)
  table.sort(tasks, by_number)
  return tasks
end

-- future -> list of the tasks that wait for it
local function waiters_in(loop)
  local waiters = {}
  for _, task in ipairs(all_tasks(loop)) do
    local _, futures = waits_for(task)
    for _, f in ipairs(futures) do
      waiters[f] = waiters[f] or {}
      table.insert(waiters[f], task)
    end
  end
  return waiters
end

local function describe_future(f)
  if getmetatable(f) == Task then return f:get_name() end
  return "a Future"
end

-- "waits in Lock:acquire for the holder Task-3"
local function describe_wait(task)
  local name, futures, object = waits_for(task)
  if not name then return core._info(task) and "is ready to run" or "has not started" end
  local text = "waits in " .. name
  if #futures > 0 then
    local names = {}
    for i, f in ipairs(futures) do names[i] = describe_future(f) end
    return text .. " for " .. table.concat(names, ", ")
  end
  local ok, holder = pcall(core._holder, object)
  if ok and holder then
    for _, t in ipairs(core.all_tasks(task:get_loop())) do
      if select(2, core._info(t)) == holder then
        return ("%s, held by %s"):format(text, t:get_name())
      end
    end
    text = ("%s, held by task %d, which has ended"):format(text, holder)
  end
  return text
end

local function at(task)
  local frame = frames_of(task)[1]
  return frame and (" at %s:%d"):format(frame.source, frame.line) or ""
end

-- ---- methods of Task ----

local STACK_OPTIONS = { limit = "number" }
local PRINT_OPTIONS = { limit = "number", file = true }

local function check_task(task, name)
  check.arg(getmetatable(task) == Task, 1, name, "Task expected, got " .. type(task))
end

--- The stack of an unfinished task, without aio's own functions: a list of { source, line, name,
--- what, linedefined }, oldest first. A task that has not started has one frame, its function;
--- one that has ended has none.
---@param opts? { limit: integer } only so many frames, the newest
---@return table[]
function Task:get_stack(opts)
  check_task(self, "get_stack")
  opts = check.options(opts, STACK_OPTIONS, 1, "get_stack")
  local frames, stack = limited(frames_of(self), opts.limit), {}
  for i = #frames, 1, -1 do stack[#stack + 1] = frames[i] end
  return stack
end

-- The chain of tasks that wait for this one, as text; "" when there is none.
local function chain_of(task)
  local waiters, seen, parts = waiters_in(task:get_loop()), {}, {}
  while task and not seen[task] do
    seen[task] = true
    local list = waiters[task]
    task = list and list[1]
    if task and not seen[task] then
      local more = #list > 1 and (" (and %d more)"):format(#list - 1) or ""
      parts[#parts + 1] = ("\nawaited by %s%s:\n%s"):format(task:get_name(), more,
        frame_lines(frames_of(task), "\t"))
    end
  end
  return table.concat(parts)
end

-- The kept traceback of a task that failed.
local function failure_of(task)
  if task:cancelled() or not core._failed(task) then return nil end
  local err = debug.getuservalue(task, 1) -- does not count as looked at
  local text = extra(task, "traceback") or core.is(err, core.BaseError) and err.traceback
  return tostring(err) .. (text and "\n" .. text or "")
end

--- Where the task stands and who waits for it; of a failed task its error with the traceback.
---@return string
function Task:traceback()
  check_task(self, "traceback")
  if self:done() then
    return failure_of(self)
      or ("%s has ended%s"):format(self:get_name(), self:cancelled() and ", cancelled" or "")
  end
  local state = self == (core._running() and core.current_task()) and "is running"
    or describe_wait(self)
  return ("%s %s:\n%s%s"):format(self:get_name(), state, frame_lines(frames_of(self), "\t"),
    chain_of(self))
end

--- Writes the stack of the task, newest first, or the error of a failed one.
---@param opts? { limit: integer, file: file } to stderr by default
function Task:print_stack(opts)
  check_task(self, "print_stack")
  opts = check.options(opts, PRINT_OPTIONS, 1, "print_stack")
  local file = opts.file or io.stderr
  local failure = self:done() and failure_of(self)
  if failure then
    file:write(self:get_name(), " failed: ", failure, "\n")
    return
  end
  local frames = limited(frames_of(self), opts.limit)
  file:write(#frames == 0 and "no stack of " or "stack of ", self:get_name(), "\n",
    #frames == 0 and "" or frame_lines(frames, "\t") .. "\n")
end

-- ---- call graphs ----

local GRAPH_OPTIONS = { limit = "number" }
local PRINT_GRAPH_OPTIONS = { limit = "number", file = true }

local function graph_of(future, waiters, limit, seen)
  local node = { future = future, call_stack = {}, awaited_by = {} }
  if getmetatable(future) == Task and not future:done() then
    node.call_stack = limited(frames_of(future), limit)
  end
  if seen[future] then return node end
  seen[future] = true
  for i, task in ipairs(waiters[future] or {}) do
    node.awaited_by[i] = graph_of(task, waiters, limit, seen)
  end
  return node
end

-- The call graph for the public function `name`.
local function capture(name, future, opts)
  if future == nil then
    future = core.current_task()
    if not future then return nil end
  end
  check.arg(core.isfuture(future), 1, name, "Task or Future expected, got " .. type(future))
  opts = check.options(opts, GRAPH_OPTIONS, 2, name)
  return graph_of(future, waiters_in(future:get_loop()), opts.limit, {})
end

--- Who waits for a future, and for those, and so on: { future, call_stack, awaited_by }, where
--- call_stack is a list of frames as of get_stack but newest first, and awaited_by a list of such
--- tables. Without a future: of the running task; nil when none runs.
---@param future? table
---@param opts? { limit: integer } frames of each stack, the newest
---@return table|nil
function M.capture_call_graph(future, opts) return capture("capture_call_graph", future, opts) end

local function format_node(node, indent, lines)
  local function add(text) lines[#lines + 1] = indent .. text end
  add("* " .. describe_future(node.future))
  if #node.call_stack > 0 then
    add "  + Call stack:"
    for _, frame in ipairs(node.call_stack) do add("  |   " .. describe_frame(frame)) end
  end
  if #node.awaited_by > 0 then
    add "  + Awaited by:"
    for _, waiter in ipairs(node.awaited_by) do format_node(waiter, indent .. "    ", lines) end
  end
  return lines
end

local function format(node)
  return node and table.concat(format_node(node, "", {}), "\n") or ""
end

--- The call graph as text; "" when no task runs and no future is given.
---@param future? table
---@param opts? { limit: integer }
---@return string
function M.format_call_graph(future, opts)
  return format(capture("format_call_graph", future, opts))
end

--- Writes the call graph.
---@param future? table
---@param opts? { limit: integer, file: file } to stderr by default
function M.print_call_graph(future, opts)
  opts = check.options(opts, PRINT_GRAPH_OPTIONS, 2, "print_call_graph")
  local text = format(capture("print_call_graph", future, { limit = opts.limit }))
  if text ~= "" then (opts.file or io.stderr):write(text, "\n") end
end

-- ---- errors ----

local function running_task() return core._running() and core.current_task() end

--- A message handler for xpcall that adds the traceback and the chain of tasks that wait for this
--- one: to a string as debug.traceback does, to an error object in its field `traceback`; other
--- values are left alone.
---@param err any
---@return any
function M.traceback(err)
  local task = running_task()
  local is_error = core.is(err, core.BaseError)
  if not is_error and type(err) ~= "string" and type(err) ~= "number" then return err end
  local text = debug.traceback(not is_error and tostring(err) or nil, 2)
  if task then text = text .. chain_of(task) end
  if not is_error then return text end
  local before = rawget(err, "traceback")
  err.traceback = before and ("%s\ncaught in %s:\n%s"):format(before,
    task and task:get_name() or "the main chunk", text) or text
  return err
end

-- The one of the futures that failed with `err`; when that only passed on what another one failed
-- with, as those of shield and gather_future do, the other one.
local function failed_among(futures, err)
  for _, f in pairs(futures) do
    if core.isfuture(f) and core._failed(f) and rawequal(debug.getuservalue(f, 1), err) then
      local of = extra(f, "delegate") or extra(f, "of")
      return of and failed_among(of, err) or f
    end
  end
end

-- The failed future from which the error came, when the task had waited for it.
local function failed_future(task, err)
  local held = debug.getuservalue(task, 1)
  if core.isfuture(held) then return failed_among({ held }, err) end
  if type(held) == "userdata" then held = debug.getuservalue(held, 1) end
  return type(held) == "table" and failed_among(held, err) or nil
end

-- Called by C in the message handler of a task whose body raises `err`, a plain value, or in debug
-- mode any: an error that came out of another task gets the chain of awaits in its traceback, one
-- that was caught and raised again the place where that was first.
core._set_hook("awaited_error", function(task, err)
  local place = origin.again(err)
  if place then extra(task, "traceback", place) end
  local from = failed_future(task, err)
  if not from then return end
  local is_error = core.is(err, core.BaseError)
  local before = is_error and rawget(err, "traceback") or extra(from, "traceback")
  if type(before) ~= "string" then return end
  local text = #before > LONGEST and before or ("%s\nawaited by %s:\n%s"):format(before,
    task:get_name(), frame_lines(frames_of(task), "\t"))
  if is_error then err.traceback = text else extra(task, "traceback", text) end
end)

-- ---- deadlocks ----

local function deadlock_message(loop, main)
  local lines = { "deadlock: the main task waits, and nothing can wake it any more" }
  for _, task in ipairs(all_tasks(loop)) do
    lines[#lines + 1] = ("  %s%s %s%s"):format(task:get_name(), task == main and " (main)" or "",
      describe_wait(task), at(task))
  end
  return table.concat(lines, "\n")
end

core._set_hook("deadlock", function(loop)
  local fields = loop:_fields()
  local main = fields.main
  if not main or main:done() then return end
  local err = core.RuntimeError(deadlock_message(loop, main))
  if fields.deadlocked == main then -- it has caught the last one
    loop:call_exception_handler {
      message = "the main task went on after a deadlock, and waits in one again",
      kind = "deadlock", exception = err, task = getmetatable(main) == Task and main or nil,
    }
  end
  fields.deadlocked = main
  if getmetatable(main) == Task then core._inject(main, err) else main:set_exception(err) end
end)

-- ---- what is open ----

local function is_endpoint_open(x) return not x:is_closing() end

-- Objects of C, whose first user value is their loop: what they are called, and are they open?
local OPEN = {
  [core._Stream] = { "stream", is_endpoint_open },
  [core._Datagram] = { "datagram endpoint", is_endpoint_open },
  [core._File] = { "file", core._file_is_open },
  [core._Process] = { "process", core._process_is_left },
  [core._FsWatch] = { "watch of files", core._fs_watch_is_open },
}

--- What an object is, when it is something of the loop that has to be closed and is not; else nil.
--- Only those that were made in debug mode are known. A class of Lua says so by `_left(object)`.
---@param object any one of core._made_all()
---@param loop table
---@return string|nil
function M.open_in(object, loop)
  local mt = debug.getmetatable(object)
  local kind = OPEN[mt]
  if kind then
    local ok, open = pcall(kind[2], object) -- raises when it was collected already
    return ok and open and debug.getuservalue(object, 1) == loop and kind[1] or nil
  end
  local left = type(mt) == "table" and rawget(mt, "_left")
  return left and object._loop == loop and left(object) or nil
end

-- ---- slow steps ----

core._set_hook("slow_callback", function(loop, node, seconds)
  local is_task = node ~= nil and getmetatable(node) == Task
  local made = node ~= nil and core._made(node)
  local what = is_task and "task " .. node:get_name() or node and "a callback" or "aio itself"
  loop:call_exception_handler {
    message = ("%s%s ran for %.3f s without waiting; the others had to wait that long"):format(what,
      made and (" (made at %s)"):format(made) or "", seconds),
    kind = "slow_callback", level = "warning", seconds = seconds,
    task = is_task and node or nil, handle = node ~= nil and not is_task and node or nil,
    traceback = core._slow_traceback(),
  }
end)

return M
