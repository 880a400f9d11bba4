-- SPDX-License-Identifier: MIT
--
-- Attempts of which one has to succeed, begun one after the other without waiting long for those
-- before (RFC 8305, "happy eyeballs"); and the order of addresses for it. The caller owns all
-- attempts: none outlives the call.

local core = require "aio.core"
local many = require "aio.many"
local wait = require "aio.wait"

local M = {}

-- Lists of addresses by family, in the order in which the families come.
local function by_family(addresses)
  local lists, list_of = {}, {}
  for _, a in ipairs(addresses) do
    local list = list_of[a.family]
    if not list then
      list = {}
      list_of[a.family], lists[#lists + 1] = list, list
    end
    list[#list + 1] = a
  end
  return lists
end

--- The addresses with their families in turn, after the first `count` of the first one; the order
--- inside a family stays.
---@param addresses table list of { family= }
---@param count integer 0: the list as it is
---@return table list
function M.interleave(addresses, count)
  if count == 0 then return addresses end
  local lists, result, at = by_family(addresses), {}, {}
  local function take(list, n)
    for i = (at[list] or 0) + 1, math.min((at[list] or 0) + n, #list) do
      at[list], result[#result + 1] = i, list[i]
    end
  end
  if lists[1] then take(lists[1], count - 1) end
  while #result < #addresses do
    for _, list in ipairs(lists) do take(list, 1) end
  end
  return result
end

local function start(self, attempt)
  local i = self.started + 1
  local task = core.create_task(attempt, i)
  self.tasks[i], self.running[#self.running + 1], self.started = task, task, i
end

-- Looks at attempts that have ended: the result of one that succeeded, or nil.
local function look(self, done)
  for _, task in ipairs(done) do
    local value, err = task:result()
    if value then return value end
    for i = 1, self.started do
      if self.tasks[i] == task then self.errors[i] = err end
    end
  end
  return nil
end

-- How long to wait before the next attempt: not at all when the last one has failed.
local function patience(self, n, began, delay)
  if self.started == n then return nil end
  if self.started == 0 or self.errors[self.started] then return 0 end
  local left = began + delay - self.loop:time()
  return left < math.huge and math.max(left, 0) or nil
end

-- The first value that an attempt returns, nil when all have failed.
local function search(self, n, delay, attempt)
  local began
  while self.started < n or #self.running > 0 do
    local timeout = patience(self, n, began, delay)
    if timeout == 0 then
      began = self.loop:time()
      start(self, attempt)
      timeout = patience(self, n, began, delay)
    end
    local done
    done, self.running = wait.wait(self.running,
      { timeout = timeout, return_when = wait.FIRST_COMPLETED })
    local value = look(self, done)
    if value then return value end
  end
  return nil
end

--- Calls `attempt(i)`, i from 1 to `n`, as tasks: the next one `delay` seconds after the last, or
--- when that has failed. An attempt returns what it has made, or nil and why not. The first to
--- succeed wins; the others are cancelled and waited for, and what one of them made all the same is
--- given to `drop`. [suspends]
---@param n integer
---@param delay number seconds
---@param attempt fun(i: integer): any, any
---@param drop fun(value: any)
---@return any value of the winner, or nil
---@return table errors what each attempt returned that has failed
function M.race(n, delay, attempt, drop)
  local loop = core.get_running_loop()
  local self = { loop = loop, started = 0, tasks = {}, running = {}, errors = {} }
  local ok, winner = pcall(search, self, n, delay, attempt)
  local cancelled = many.reap(self.tasks)
  for _, task in ipairs(self.tasks) do
    local value = not task:cancelled() and not core._failed(task) and task:result() or nil
    if value and (not ok or cancelled or value ~= winner) then drop(value) end
  end
  if not ok then error(winner, 0) end
  if cancelled then error(cancelled, 0) end
  return winner, self.errors
end

return M
