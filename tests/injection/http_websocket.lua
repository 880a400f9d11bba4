-- SPDX-License-Identifier: MIT
-- Memory fails while WebSocket messages go back and forth: short, fragmented, compressed, large;
-- and while nothing does.
local aio = require "aio"
local http = require "aio.http"
local hc = require "aio.http.core"
local core = require "aio.core"
local websocket = require "aio.http.websocket"

-- One end as the server of aio.http makes it, over a stream.
local function accept(conn)
  local parser = hc.parser "request"
  assert(core._feed(conn, parser, 10))
  local headers, method, _, minor = parser:head()
  return websocket.serve({
    headers = headers, method = method, minor = minor, _take_over = function() return conn end,
  }, function(ws)
    for msg in ws:messages() do ws:send(msg) end
  end, { heartbeat = 20 })
end

local function connect(conn)
  local fields, plan = websocket.prepare({ compress = true, heartbeat = 30 }, 1, "connect")
  conn:write(hc.request_head("GET", "/", "h", fields, nil, nil, hc.KEEP_ALIVE))
  local parser = hc.parser "response"
  parser:begin "GET"
  assert(core._feed(conn, parser, 10))
  local headers, status = parser:head()
  assert(websocket.check_response(plan, status, headers))
  return websocket.client(conn, plan)
end

aio.run(function()
  local server <close> = aio.start_server(accept, "127.0.0.1", 0)
  local conn <close> = aio.open_connection("127.0.0.1", server.port)
  local ws <close> = connect(conn)
  aio.catch(http.WebSocketError, function() -- the other end may have met the failure
    ws:send "hello"
    assert(ws:receive_str() == "hello")
    ws:send_bytes(("x"):rep(70000), { compress = false })
    assert(#ws:receive_bytes() == 70000)
    ws:ping()
    aio.sleep(70)
    ws:send "still here"
    assert(ws:receive_str() == "still here")
  end)
  ws:close(1000, "bye")
end)
