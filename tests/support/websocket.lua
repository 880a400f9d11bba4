-- SPDX-License-Identifier: MIT
-- Two ends of a WebSocket over a stream, without the server and the client of aio.http: only their
-- parser. And a raw end, which sends what it likes.

local aio = require "aio"
local core = require "aio.core"
local testing = require "aio.testing"
local hc = require "aio.http.core"
local websocket = require "aio.http.websocket"

local M = {}

--- The request that comes on the stream, as the server of aio.http would hand it on.
function M.read_request(conn)
  local parser = hc.parser "request"
  if not core._feed(conn, parser, 10) then return nil end
  local headers, method, target, minor = parser:head()
  assert(headers, method)
  return {
    headers = headers, method = method, target = target, minor = minor,
    _take_over = function() return conn end,
  }
end

--- A handler that sends back what comes.
function M.echo(self)
  for msg in self:messages() do self:send(msg) end
end

--- Serves one WebSocket on the stream, as a route of aio.http would.
function M.serve(conn, handler, opts)
  local req = M.read_request(conn)
  if not req then return conn:abort() end
  local ok, err = pcall(websocket.serve, req, handler, opts)
  if ok then return end
  if aio.is(err, websocket.WebSocketError) or not (type(err) == "table" and err.status) then
    error(err, 0)
  end
  conn:write(("HTTP/1.1 %d No\r\nX-Why: %s\r\nContent-Length: 0\r\n\r\n"):format(err.status,
    err.text or err.message))
  conn:close()
end

--- The handshake of a client. A WebSocket, or nil, what was wrong and the status.
function M.connect(conn, opts, more)
  local headers, plan = websocket.prepare(opts, 1, "connect")
  for i = 1, #(more or {}) do headers[#headers + 1] = more[i] end
  conn:write(hc.request_head("GET", "/", "example.test", headers, nil, nil, hc.KEEP_ALIVE))
  local parser = hc.parser "response"
  parser:begin "GET"
  if not core._feed(conn, parser, 10) then return nil, "closed" end
  local answer, status = parser:head()
  local ok, why = websocket.check_response(plan, status, answer)
  if not ok then return nil, why, status end
  return websocket.client(conn, plan)
end

--- The request of a client, by hand; then the stream is raw.
M.REQUEST = "GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
  .. "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

--- Sends it, and reads the answer's head.
function M.connect_raw(conn, more)
  conn:write(M.REQUEST .. (more or "") .. "\r\n")
  return conn:readuntil "\r\n\r\n"
end

--- Reads one frame without a mask: the first byte, and the payload; nil at the end.
function M.read_frame(conn)
  local head = conn:read(1)
  if not head then return nil end
  local length = conn:readexactly(1):byte()
  if length == 126 then length = string.unpack(">I2", conn:readexactly(2)) end
  if length == 127 then length = string.unpack(">I8", conn:readexactly(8)) end
  return head:byte(), conn:readexactly(length)
end

--- fn(client, server's task, server's WebSocket) with both ends over memory; the server runs
--- `handler`. Returns what the handler's task raised, or nil.
function M.with_pair(handler, fn, opts)
  opts = opts or {}
  local raised
  testing.run(function()
    local a <close>, b = testing.stream_pair(opts.stream)
    local _ <close> = b
    local server = {}
    local task = aio.create_task(M.serve, a, function(self, req)
      server.ws = self
      return handler(self, req)
    end, opts.server)
    local client = assert(M.connect(b, opts.client))
    fn(client, task, server)
    if not client.closed then client:close() end
    local ok, err = pcall(task.await, task)
    if not ok then raised = err end
  end)
  return raised
end

--- fn(stream, task): the client is raw.
function M.with_raw(handler, fn, opts)
  local raised
  testing.run(function()
    local a <close>, b = testing.stream_pair(opts and opts.stream)
    local _ <close> = b
    local task = aio.create_task(M.serve, a, handler, opts and opts.server)
    M.connect_raw(b, opts and opts.more)
    fn(b, task)
    local ok, err = pcall(task.await, task)
    if not ok then raised = err end
  end)
  return raised
end

return M
