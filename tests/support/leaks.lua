-- SPDX-License-Identifier: MIT
-- What must be after a test as it was before it: live objects of aio, descriptors, the working
-- directory. Used by the case runner around every case and by the allocation-failure runner.

local env = require "support.env"

local leaks = {}

local LOOKS = 60 -- 0.05 s apart

local host = env.host

-- Without the host program: one shell command tells of both.
local function outside()
  local stat = assert(io.open("/proc/self/stat"))
  local pid = stat:read("n")
  stat:close()
  local command = "readlink /proc/%d/cwd /proc/self/fd/1; ls -l /proc/%d/fd 2>/dev/null"
  local pipe = assert(io.popen(command:format(pid, pid)))
  local cwd, itself = pipe:read("l", "l") -- its other end may not have been closed here yet
  local fds = {}
  for line in pipe:lines() do
    local fd, target = line:match("(%d+) %-> (.*)$")
    if fd and target ~= itself then fds[tonumber(fd)] = target end
  end
  pipe:close()
  return cwd, fds
end

local function cwd_and_fds()
  if host then return host.cwd(), host.fds() end
  if not env.exists("/proc/self/stat") then return nil, {} end
  return outside()
end

-- How many threads this process has, where that can be seen.
local function threads()
  local status = io.open("/proc/self/status")
  if not status then return 0 end
  local count = status:read("a"):match("\nThreads:%s*(%d+)")
  status:close()
  return tonumber(count)
end

local function stats()
  local core = package.loaded["aio.core"]
  if not core or not core.stats then return {} end
  return core.stats()
end

---To be called before the first `snapshot`: libuv opens a pipe of its own with the first loop of a
---process, and keeps it.
function leaks.warm_up()
  local ok, aio = pcall(require, "aio")
  if ok then aio.new_event_loop():close() end
end

---@return table  what there is now; collects garbage first
function leaks.snapshot()
  collectgarbage()
  collectgarbage()
  local cwd, fds = cwd_and_fds()
  return { cwd = cwd, fds = fds, stats = stats(), threads = threads() }
end

-- Pipes of this very look have other numbers each time; a descriptor is known by its number.
local function compare_fds(before, after, found)
  for fd, target in pairs(after) do
    if before[fd] == nil then
      found[#found + 1] = ("descriptor %d is still open (%s)"):format(fd, target)
    end
  end
  for fd, target in pairs(before) do
    if after[fd] == nil then
      found[#found + 1] = ("descriptor %d was closed, which was not the test's (%s)"):format(fd,
        target)
    end
  end
end

local function compare_stats(before, after, found)
  for name, count in pairs(after) do
    -- A pool is there to be kept.
    if count > (before[name] or 0) and not name:find("pool", 1, true) then
      found[#found + 1] = ("%s: %d before, %d after"):format(name, before[name] or 0, count)
    end
  end
end

local function compare(before, after)
  local found = {}
  if before.cwd ~= after.cwd then
    found[#found + 1] = ("the working directory is now %s"):format(after.cwd)
  end
  compare_fds(before.fds, after.fds, found)
  compare_stats(before.stats, after.stats, found)
  table.sort(found)
  return table.concat(found, "; ")
end

---What a closed loop has left to a thread of its own (a look-up that could not be cancelled, a
---worker that was still at work) goes when that is done: descriptors and threads are given a while.
---libuv's pool of threads stays; it is waited for once.
---@param before table  from `snapshot`
---@return string|nil  what is left over, or nil
function leaks.since(before)
  local found = compare(before, leaks.snapshot())
  for _ = 1, LOOKS do
    if not found:find("still open", 1, true) and threads() <= before.threads then break end
    os.execute("sleep 0.05")
    found = compare(before, leaks.snapshot())
  end
  return found ~= "" and found or nil
end

---@return integer  bytes in use after a full collection
function leaks.bytes()
  collectgarbage()
  collectgarbage()
  if host then return (host.memory()) end
  return math.floor(collectgarbage("count") * 1024)
end

return leaks
