-- SPDX-License-Identifier: MIT
--
-- What a handler that has taken the connection over (a WebSocket) is to the middlewares around it:
-- a response that is gone already. Changes have no effect.

local response = require "aio.http.response"

local M = {}

local methods = setmetatable({}, { __index = response.methods })
local Upgraded = { __name = "UpgradedResponse" }
Upgraded.__index, Upgraded.__newindex = response.accessors(methods)

--- Nothing is left to be sent.
function Upgraded._send() end

--- A response with status 101 that has been sent (`prepared`).
---@return table
function M.new()
  return setmetatable({ status = 101, body = "", prepared = true, _h = false }, Upgraded)
end

return M
