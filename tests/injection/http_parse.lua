-- SPDX-License-Identifier: MIT
-- Memory fails while heads and bodies are taken from a stream and sent: long ones, whose blocks are
-- not in the parser itself.
local aio = require "aio"
local stream_pair = require("aio.pair").stream_pair

local found, hc = pcall(require, "aio.http.core")
if not found then
  if tostring(hc):find("not enough memory", 1, true) then error(hc, 0) end
  return -- a build without it
end
local content = require "aio.http.content"
local core = require "aio.core"
local Headers = require("aio.http.headers").Headers

local BODY = ("x"):rep(5000)

-- What was written may be lost when memory fails after the call: then nothing comes.
local function fail(_, message) error(aio.TimeoutError(message), 0) end

local function fed(conn, p)
  if not core._feed(conn, p, 10, 5) then fail("time", "nothing came") end
end

local function send(conn)
  local headers = Headers { Host = "a", ["X-Long"] = ("v"):rep(1500) }
  for i = 1, 20 do headers:add("N" .. i, i) end
  conn:write(hc.request_head("POST", "/a", nil, headers, "a/b", -1, hc.KEEP_ALIVE),
    ("%x\r\n%s\r\n0\r\n\r\n"):format(#BODY, BODY))
  conn:write(hc.request_head("PUT", "/b", "a", nil, nil, 5, 0), "hello")
end

local function receive(conn)
  local p = hc.parser "request"
  fed(conn, p)
  local headers, method, target = p:head()
  assert(method == "POST" and target == "/a" and #headers:get_all "N7" == 1)
  assert(content.new(content.chunked(conn, p, 5, fail)):read() == BODY)
  p:next()
  fed(conn, p)
  method = select(2, assert(p:head()))
  assert(method == "PUT")
  assert(content.new(content.counted(conn, 5, 5, fail)):readexactly(5) == "hello")
end

aio.run(function()
  local a <close>, b = stream_pair { chunk = 700 }
  local _ <close> = b
  local sender <close> = aio.TaskGroup()
  sender:create_task(send, b)
  receive(a)
end)
