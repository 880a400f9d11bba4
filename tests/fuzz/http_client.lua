-- SPDX-License-Identifier: MIT
-- A client whose servers send anything: every request ends with an answer or an error of the
-- client's, no answer goes to another request, and no slot of the pool is lost.

local aio = require "aio"
local connectors = require "aio.http.connector"
local dial = require "aio.http.dial"
local errors = require "aio.http.errors"
local input = require "input"
local sessions = require "aio.http.session"
local stream_pair = require("aio.pair").stream_pair

local HEADS = {
  "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n",
  "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s",
}

-- What a server may also say.
local WORDS = {
  "HTTP/1.1 ", "200 OK\r\n", "Content-Length: ", "3", "\r\n\r\n", "abc", "Location: /0\r\n",
  "302 Found\r\n", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "\r\n", "Set-Cookie: a=b\r\n",
  "Connection: close\r\n", "204 No\r\n", "Content-Encoding: gzip\r\n", "101 X\r\n",
}

-- Answers by the input; `i.told` are the honest answers by their targets.
local function serve(i, conn)
  local honest = true
  while not i:done() do
    local head = conn:readuntil "\r\n\r\n"
    local target = head:match "^%u+ (/%d+) HTTP"
    honest = honest and target ~= nil -- the end of a body is no request, and gets no answer
    for _ = 1, i:int(0, 2) do aio.sleep(0) end
    if i:one_in(3) then
      honest = false
      for _ = 1, i:int(1, 8) do conn:write(i:one_in(4) and i:take(i:int(0, 9)) or i:pick(WORDS)) end
    elseif honest then
      local body = ("answer to %s "):format(target):rep(i:int(1, 3))
      i.told[body] = target
      conn:write(i:pick(HEADS):format(#body, body))
    end
    if i:one_in(6) then return conn:write_eof() end
    if i:one_in(8) then return conn:abort() end
  end
end

local function serve_until_the_end(i, conn)
  aio.catch({ aio.Error }, serve, i, conn)
  conn:abort()
end

local function read(i, res)
  local way = i:int(0, 3)
  if way == 0 then return res:read() end
  if way == 1 then return res:text() end
  if way == 2 then return nil end
  local parts = {}
  for chunk in res:chunks(i:int(1, 9)) do parts[#parts + 1] = chunk end
  return table.concat(parts)
end

local function ask(i, session, n)
  local left = i:int(0, 3)
  local target = "/" .. n
  local method = i:pick { "GET", "PUT", "POST", "HEAD" }
  local res <close> = session:request(method, "http://a" .. target, {
    timeout = 5, data = i:one_in(3) and function()
      aio.sleep(0)
      left = left - 1
      return left >= 0 and "part" or nil
    end or nil, max_redirects = 2,
  })
  local body = read(i, res)
  local whose = i.told[body]
  assert(not whose or whose == target or #res.history > 0, "an answer to another request")
end

local EXPECTED = { errors.ClientError, aio.TimeoutError, aio.CancelledError }

return input.target(function(i)
  i.told = {}
  local servers <close> = aio.TaskGroup()
  dial.open = function()
    if i:one_in(10) then error(errors.ClientConnectorError "refused", 0) end
    local a, b = stream_pair { chunk = i:int(1, 60), seed = i:byte() }
    servers:create_task(serve_until_the_end, i, b)
    return a
  end
  local connector = connectors.Connector { limit = i:int(1, 2), keepalive_timeout = 1 }
  local session = sessions.ClientSession { connector = connector }
  local tasks = {}
  for n = 1, i:int(1, 5) do
    tasks[n] = aio.create_task(function()
      local ok, err = pcall(ask, i, session, n)
      assert(ok or aio.is(err, table.unpack(EXPECTED)), err)
      if not ok and aio.is(err, aio.CancelledError) then error(err, 0) end
    end)
    for _ = 1, i:int(0, 3) do aio.sleep(0) end
    if i:one_in(5) then tasks[n]:cancel() end
  end
  aio.wait(tasks)
  for _, task in ipairs(tasks) do
    if not task:cancelled() then task:result() end
  end
  assert(connector._pool._used == 0, "a slot is lost")
  connector:close()
  session:close()
end)
