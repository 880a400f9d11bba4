-- SPDX-License-Identifier: MIT
--
-- How one accepted connection is served: the user's function is called, what it raises is reported,
-- and the connection is closed, whatever happens. Used by aio.server and aio.transport.

local core = require "aio.core"
local address = require "aio.address"
local errors = require "aio.errors"
local origin = require "aio.origin"

local M = {}

local is_error = errors.is_error

local function report(conn, peer, message, err, traceback)
  core.get_running_loop():call_exception_handler {
    message = (message or "the handler of a connection from %s failed"):format(peer),
    kind = "callback_error", exception = err, traceback = traceback,
    conn = conn, task = core.current_task(), address = peer,
  }
end

local function peer_of(conn)
  local peer = conn:get_extra_info "peername"
  if peer == nil then return "a peer that has gone" end
  return peer ~= "" and address.format(peer) or "a local process"
end

--- Calls fn(conn), reports its error, and closes the connection, unless it was detached. The close
--- comes before everything that can fail.
---@param message? string in place of the usual one, with "%s" for the peer; then the connection
---  stays open unless fn fails
---@return boolean ok
function M.plain(fn, conn, message)
  local ok, err = xpcall(fn, origin.note, conn)
  local named, peer
  if not ok then named, peer = pcall(peer_of, conn) end
  if not core._detached(conn) and not (ok and message) then conn:close() end
  if ok then return true end
  if not is_error(err) then error(err, 0) end
  report(conn, named and peer or "a peer", message, origin.of(err))
  return false
end

--- The same over TLS: first the handshake. One that our own side has ended by closing
--- the connection is no failure.
---@param shaking table has the task as a key as long as that lasts
function M.over_tls(fn, conn, tls, shaking)
  local named, peer = pcall(peer_of, conn)
  local task = core.current_task()
  shaking[task] = true
  local ok, err = pcall(tls.start, tls, conn)
  shaking[task] = nil
  if ok then
    M.plain(fn, conn)
    return
  end
  conn:abort()
  if not is_error(err) then error(err, 0) end
  if core.is(err, core.OSError) and err.code == "ECONNABORTED" then return end
  report(conn, named and peer or "a peer", "the TLS handshake of a connection from %s failed", err)
end

return M
