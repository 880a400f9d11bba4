-- SPDX-License-Identifier: MIT
--
-- The option `heartbeat` of a WebSocket: a timer that looks whether anything has come, has a ping
-- sent when nothing has, and gives the connection up when there is no answer to that. Bytes that
-- nobody has read yet count too, so it does not matter whether somebody receives. Used by
-- ws_connection.lua.

local core = require "aio.core"

local M = {}

local unread = core._unread

local Heartbeat = {}
Heartbeat.__index = Heartbeat

-- How many bytes have come in all; nil when nobody can know: too much is unread, so that nothing is
-- received, or the end is. Who receives will see.
local function total_of(ws)
  local waiting, _, receives = unread(ws._conn)
  return receives and ws._reader:taken() + waiting or nil
end

local tick

-- When memory is out `tick` is called again, see core._insist: it arms before it changes anything.
local function arm(self, seconds)
  self.timer = core._insist(self.loop:call_later(seconds, tick, self))
end

-- Silence: a ping; then, when it lasts, the end. What has come may wait for the loop's next poll,
-- so there is one more turn before that.
local function silent(self, ws)
  if not self.asked then
    arm(self, self.seconds / 2)
    self.asked = true
    self.ask(ws)
  elseif not self.late then
    arm(self, 0)
    self.late = true
  else
    self.give_up(ws, ("no answer to a ping within %g s"):format(self.seconds / 2))
  end
end

function tick(self)
  local ws = self.of[1]
  if not ws or ws._state ~= "open" then return end
  local total = total_of(ws)
  if total == self.total then return silent(self, ws) end
  local now = self.loop:time()
  arm(self, math.max(0, (self.heard or now) + self.seconds - now))
  self.total, self.asked, self.late, self.heard = total or self.total, false, false, nil
end

--- Somebody has received something.
function Heartbeat:hear() self.heard = self.loop:time() end

--- The connection is over.
function Heartbeat:stop() self.timer:cancel() end

--- Begins to look after a WebSocket, which it does not keep alive.
---@param ws table WebSocket
---@param seconds number of silence until `ask` is called, and half of that until `give_up` is
---@param ask fun(ws: table) sends a ping; must not wait
---@param give_up fun(ws: table, why: string) ends the connection; must not wait
---@return table heartbeat
function M.start(ws, seconds, ask, give_up)
  local self = setmetatable({
    of = setmetatable({ ws }, { __mode = "v" }), seconds = seconds, ask = ask, give_up = give_up,
    loop = core.get_running_loop(), total = total_of(ws) or 0, asked = false, late = false,
  }, Heartbeat)
  arm(self, seconds)
  return self
end

return M
