-- SPDX-License-Identifier: MIT
-- Servers that send bytes by hand, for the tests of the HTTP client.

local aio = require "aio"
local testing = require "aio.testing"

local raw = { raised = require("support.tasks").raised, case = testing.case }

--- A server on a free port: each connection runs `fn(conn, i)`, i being its number.
---@return table server with `url` and `connections`
function raw.serve(fn, opts)
  local self = { connections = 0 }
  self.server = aio.start_server(function(conn)
    self.connections = self.connections + 1
    -- clients may go
    aio.catch({ aio.OSError, aio.IncompleteReadError }, fn, conn, self.connections)
  end, "127.0.0.1", 0, opts)
  self.port = self.server.port
  self.url = ("%s://127.0.0.1:%d"):format(opts and opts.ssl and "https" or "http", self.port)
  return setmetatable(self, { __close = function()
    self.server:close()
    self.server:abort_clients()
    self.server:wait_closed()
  end })
end

--- The next request's head, or nil at the end: method, target, and the fields in lower case.
---@return table|nil { line=, method=, target=, text=, [name]=value }
function raw.head(conn)
  local ok, text = aio.catch({ aio.IncompleteReadError, aio.OSError, aio.RuntimeError },
    conn.readuntil, conn, "\r\n\r\n")
  if not ok then return nil end
  local head = { text = text, line = text:match "^[^\r]*" }
  head.method, head.target = head.line:match "^(%S+) (%S+)"
  for name, value in text:gmatch "\r\n([^:\r]+): ?([^\r]*)" do head[name:lower()] = value end
  return head
end

--- The body that belongs to a head.
function raw.body(conn, head)
  if head["transfer-encoding"] then
    local parts = {}
    while true do
      local n = tonumber(conn:readuntil("\r\n"):match "^%x+", 16)
      local data = conn:readexactly(n + 2)
      if n == 0 then return table.concat(parts), parts end
      parts[#parts + 1] = data:sub(1, -3)
    end
  end
  return conn:readexactly(tonumber(head["content-length"] or 0))
end

--- A whole response.
function raw.response(body, fields, status)
  return ("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s"):format(status or "200 OK", fields or "",
    #body, body)
end

--- A server that answers each request of each connection with what `fn(head, body, conn, i)`
--- returns.
function raw.answering(fn, opts)
  return raw.serve(function(conn, i)
    while true do
      local head = raw.head(conn)
      if not head then return end
      local answer = fn(head, raw.body(conn, head), conn, i)
      if not answer then return end
      conn:write(answer)
    end
  end, opts)
end

return raw
