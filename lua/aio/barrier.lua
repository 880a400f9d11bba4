-- SPDX-License-Identifier: MIT
--
-- Barrier: a number of tasks wait for each other, again and again. Built on a Condition whose lock
-- is free whenever a task could wait for it, so that acquiring it never suspends; only the waiting
-- for the others does.
--
-- A round is filling until the last party has come, then draining until all have left. A reset
-- breaks the round for those who wait (resetting), an abort breaks the barrier until a reset.

local check = require "aio.check"
local core = require "aio.core"

---@class Barrier
---@field parties integer  how many tasks make a round
---@field n_waiting integer  how many wait now
---@field broken boolean
local Barrier = { __name = "Barrier" }

local fields = {
  parties = function(self) return self._parties end,
  n_waiting = function(self) return self._state == "filling" and self._count or 0 end,
  broken = function(self) return self._state == "broken" end,
}

function Barrier:__index(key)
  local field = fields[key]
  if field and rawget(self, "_parties") then return field(self) end
  return Barrier[key]
end

function Barrier.__newindex(_, key)
  error(("a Barrier has no field '%s' that can be set"):format(tostring(key)), 2)
end

function Barrier:__tostring()
  local state = self._state
  if state ~= "broken" then
    state = ("%s, %d of %d waiting"):format(state, self.n_waiting, self._parties)
  end
  return ("Barrier: %p (%s)"):format(self, state)
end

local function self_check(self, name)
  check.arg(getmetatable(self) == Barrier, 0, name, "Barrier expected, got " .. type(self))
end

-- The last party of a round that ends, in whatever way, makes the barrier ready for the next one.
local function leave(self)
  self._count = self._count - 1
  if self._count > 0 then return end
  if self._state ~= "broken" then self._state = "filling" end
  self._cond:notify_all()
end

local function broken(what) error(core.BrokenBarrierError(what), 0) end

--- Waits until `parties` tasks wait here, then all go on. Suspends, unless this task is the last.
--- Raises BrokenBarrierError when the barrier is or gets broken, or is reset while it waits.
---@return integer  the place of arrival, from 1 to parties
function Barrier:wait()
  self_check(self, "wait")
  local cond <close> = self._cond:acquire()
  while self._state == "draining" or self._state == "resetting" do cond:wait() end
  if self._state == "broken" then broken("the barrier is broken; reset it to use it again") end
  local _ <close> = self._leaving
  self._count = self._count + 1
  local place = self._count
  if place == self._parties then
    self._state = "draining"
    cond:notify_all()
    return place
  end
  while self._state == "filling" do cond:wait() end
  if self._state ~= "draining" then broken("the barrier was aborted or reset") end
  return place
end

-- Sets the state and wakes all. Does not suspend: nobody holds the lock between two waits.
local function change(self, state)
  local cond <close> = self._cond:acquire()
  self._state = state
  cond:notify_all()
end

--- Makes the barrier whole again; tasks that wait get BrokenBarrierError. Never suspends.
function Barrier:reset()
  self_check(self, "reset")
  change(self, self._count > 0 and "resetting" or "filling")
end

--- Breaks the barrier: those who wait, and those who come, get BrokenBarrierError. Never suspends.
function Barrier:abort()
  self_check(self, "abort")
  change(self, "broken")
end

local function new(_, parties)
  check.arg(math.type(parties) == "integer" or math.tointeger(parties), 1, "Barrier",
    "number of parties expected, got " .. (parties == nil and "no value" or type(parties)))
  check.arg(parties >= 1, 1, "Barrier", "at least one party expected")
  local self = {
    _cond = core.Condition(),
    _count = 0,
    _parties = math.tointeger(parties),
    _state = "filling",
  }
  self._leaving = setmetatable({}, { __close = function() leave(self) end })
  return setmetatable(self, Barrier)
end

setmetatable(Barrier, { __call = new, __name = "class Barrier" })

return { Barrier = Barrier }
