-- SPDX-License-Identifier: MIT
--
-- The connections that a client keeps: which are idle, how many are in use, and who waits for one.
-- Knows nothing of HTTP: a link is any table with a `stream` and its `loop`; a key says what a link
-- is good for.
--
-- A slot is the right to one link. Who has a slot has taken it with `acquire` and gives it back
-- exactly once, by `put` (with the link) or `drop`. A slot that becomes free while others wait goes
-- straight to the first of them who may have it, so nobody overtakes.

local core = require "aio.core"
local check = require "aio.check"
local errors = require "aio.http.errors"

local M = {}

local look, unread = core._look, core._unread

local Pool = {}
Pool.__index = Pool

--- A pool.
---@param limit number how many slots there are; math.huge: any number
---@param per_key number the same for one key
---@param keepalive number seconds that a link may be idle; 0: none is kept
---@return table pool
function M.new(limit, per_key, keepalive)
  return setmetatable({
    _limit = limit, _per_key = per_key, _keepalive = keepalive,
    _used = 0, _used_of = {}, -- slots
    _idle = {}, _idle_count = 0, -- key -> list of links, the last used at its end
    _lines = {}, _serial = 0, -- key -> those who wait
  }, Pool)
end

local function close_link(link) link.stream:close() end

-- ---- idle links ----

local function remove_idle(self, key, list, i)
  local link = table.remove(list, i)
  self._idle_count = self._idle_count - 1
  if #list == 0 then self._idle[key] = nil end
  return link
end

-- The idle link of the key that was used last and to which nothing has happened since, as far as
-- the system knows: the loop may not have come yet to what was sent unasked, which must not be
-- taken for the next answer.
local function take_idle(self, key)
  local list = self._idle[key]
  while list and #list > 0 do
    local link = remove_idle(self, key, list, #list)
    look(link.stream)
    if unread(link.stream) == 0 then return link end
    link.stream:abort()
  end
  return nil
end

-- Closes what has been idle too long, or was closed by the peer; how long the rest may stay.
local function sweep(self, now)
  local soonest
  for key, list in pairs(self._idle) do
    for i = #list, 1, -1 do
      local left = list[i].since + self._keepalive - now
      if left <= 0 or unread(list[i].stream) ~= 0 then
        close_link(remove_idle(self, key, list, i))
      elseif not soonest or left < soonest then
        soonest = left
      end
    end
  end
  return soonest
end

local function on_timer(self)
  self._timer = nil
  local left = sweep(self, self._loop:time())
  if left then self._timer = self._loop:call_later(left, on_timer, self) end
end

-- Closes the one that is idle for the longest time, so that open links stay below the limit.
local function evict(self)
  local from, oldest
  for key, list in pairs(self._idle) do
    if not oldest or list[1].order < oldest then from, oldest = key, list[1].order end
  end
  if from then close_link(remove_idle(self, from, self._idle[from], 1)) end
end

-- ---- slots and lines ----

local function has_room(self, key)
  return self._used < self._limit and (self._used_of[key] or 0) < self._per_key
end

local function count(self, key, by)
  local used = (self._used_of[key] or 0) + by
  self._used, self._used_of[key] = self._used + by, used > 0 and used or nil
end

-- The first who waits for the key, or nil.
local function first_of(line)
  while line.first <= line.last and not line[line.first] do line.first = line.first + 1 end
  return line[line.first]
end

local function leave(self, key, line, place)
  line[place] = nil
  line.n = line.n - 1
  if line.n == 0 then self._lines[key] = nil end
end

-- The key whose first waiter has waited longest of those who may have a slot.
local function next_key(self)
  local best, earliest
  for key, line in pairs(self._lines) do
    local waiter = has_room(self, key) and first_of(line)
    if waiter and (not earliest or waiter.serial < earliest) then
      best, earliest = key, waiter.serial
    end
  end
  return best
end

-- Gives free slots to those who wait.
local function serve(self)
  while next(self._lines) do
    local key = next_key(self)
    if not key then return end
    local line = self._lines[key]
    local waiter = first_of(line)
    leave(self, key, line, line.first)
    if not waiter.future:done() then
      count(self, key, 1)
      waiter.future:set_result(true)
    end
  end
end

-- Waits in line for a slot. A cancelled one passes on what it has got. [suspends]
local function wait_for_slot(self, key)
  local line = self._lines[key]
  if not line then
    line = { first = 1, last = 0, n = 0 }
    self._lines[key] = line
  end
  self._serial = self._serial + 1
  local waiter = { future = self._loop:create_future(), serial = self._serial }
  local place = line.last + 1
  line.last, line.n, line[place] = place, line.n + 1, waiter
  local ok, err = pcall(waiter.future.await, waiter.future)
  if ok then return end
  core._retrieved(waiter.future) -- cancelled as the pool was closed, it has not seen that error
  if line[place] == waiter then
    leave(self, key, line, place)
  elseif waiter.future:done() and not waiter.future:cancelled() and not core._failed(waiter.future)
  then
    self:drop(key, self._loop)
  end
  error(err, 0)
end

local function raise_closed()
  error(errors.ClientConnectionError("the connector, or its session, is closed"), 0)
end

-- Notes the loop. What belonged to one that is closed is closed too, and no longer counted.
local function here(self)
  local loop, former = core.get_running_loop(), self._loop
  if former == loop then return end
  if former and not former:is_closed() then
    check.state "this session, or its connector, is used in another loop; make one for each loop"
  end
  self._loop, self._timer, self._lines = loop, nil, {}
  self._idle, self._idle_count, self._used, self._used_of = {}, 0, 0, {}
end

--- Takes a slot with an idle link, if there are both.
---@param key string
---@return table|nil link
function Pool:try(key)
  if self.closed then return nil end
  here(self)
  if not self._idle[key] or not has_room(self, key) then return nil end
  local link = take_idle(self, key)
  if link then count(self, key, 1) end
  return link
end

--- Takes a slot, waiting for one when there is none. [suspends]
---@param key string
---@param queued fun(waits: boolean) called before and after waiting
---@param fresh? boolean no idle link is wanted
---@return table|nil link an idle one; nil: the caller makes a new one
function Pool:acquire(key, queued, fresh)
  if self.closed then raise_closed() end
  here(self)
  if has_room(self, key) then
    count(self, key, 1)
  else
    queued(true)
    wait_for_slot(self, key)
    local ok, err = pcall(queued, false)
    if not ok then
      self:drop(key, self._loop)
      error(err, 0)
    end
  end
  local link = not fresh and take_idle(self, key) or nil
  if not link and self._used + self._idle_count > self._limit then evict(self) end
  return link
end

--- What to tell one who has waited in vain.
---@return string
function Pool:shortage()
  -- a connection may have come free by now
  local all = self._used >= self._limit or self._per_key == math.huge
  return ("it waited for one of the connector's %d connections (%s), which are all in use; read or "
    .. "close each response, and close WebSockets"):format(all and self._limit or self._per_key,
    all and "limit" or "limit_per_host")
end

--- Gives a slot back together with its link, which is clean, to be used again.
function Pool:put(key, link)
  if link.loop ~= self._loop then return close_link(link) end
  if self.closed or self._keepalive <= 0 or unread(link.stream) ~= 0 then
    close_link(link)
    return self:drop(key, link.loop)
  end
  self._serial = self._serial + 1
  link.since, link.order = self._loop:time(), self._serial
  local list = self._idle[key]
  if not list then
    list = {}
    self._idle[key] = list
  end
  list[#list + 1] = link
  self._idle_count = self._idle_count + 1
  if not self._timer then self._timer = self._loop:call_later(self._keepalive, on_timer, self) end
  self:drop(key, link.loop)
end

--- Gives a slot back that was taken in this loop; the caller has closed the link.
function Pool:drop(key, loop)
  if loop ~= self._loop then return end -- of a loop that was closed: not counted any more
  count(self, key, -1)
  if next(self._lines) then serve(self) end
end

--- Closes the idle links and sends those away who wait; slots in use can still be given back.
---@return table list of links that are being closed
function Pool:close()
  self.closed = true
  if self._timer then self._timer:cancel() end
  self._timer = nil
  local links = {}
  for _, list in pairs(self._idle) do
    for _, link in ipairs(list) do
      links[#links + 1] = link
      close_link(link)
    end
  end
  self._idle, self._idle_count = {}, 0
  local lines = self._lines
  self._lines = {}
  for _, line in pairs(lines) do
    for place = line.first, line.last do
      local waiter = line[place]
      line[place] = nil
      if waiter and not waiter.future:done() then
        waiter.future:set_exception(errors.ClientConnectionError(
          "the connector, or its session, was closed"))
      end
    end
  end
  return links
end

return M
