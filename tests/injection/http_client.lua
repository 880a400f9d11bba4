-- SPDX-License-Identifier: MIT
-- Memory fails while an HTTP client asks: a short answer, one in chunks, an upload, a redirect.
local aio = require "aio"
local http = require "aio.http"

local ANSWERS = {
  ["/short"] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\nshort",
  ["/chunks"] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "3\r\nchu\r\n3\r\nnks\r\n0\r\n\r\n",
  ["/moved"] = "HTTP/1.1 302 Found\r\nLocation: /short\r\nContent-Length: 0\r\n\r\n",
  ["/upload"] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
}

local function serve(conn)
  while true do
    local head = conn:readuntil "\r\n\r\n"
    if head:find("chunked", 1, true) then conn:readuntil "0\r\n\r\n" end
    conn:write(ANSWERS[head:match "^%u+ (%S+)"])
  end
end

local function ask(session)
  assert(session:get("/short"):read() == "short")
  assert(session:get("/chunks"):read() == "chunks")
  local both = session:get "/chunks"
  local reader = aio.create_task(both.read, both)
  aio.sleep(0)
  reader:cancel()
  assert(both:read() == "chunks")
  assert(session:get("/moved", { headers = { A = "b" } }):text() == "short")
  local n = 0
  local res = session:put("/upload", { data = function()
    n = n + 1
    return n < 3 and "part" or nil
  end })
  assert(res:read() == "ok")
end

aio.run(function()
  local server <close> = aio.start_server(function(conn)
    aio.catch({ aio.IncompleteReadError, aio.OSError }, serve, conn)
  end, "127.0.0.1", 0)
  local session <close> = http.ClientSession { base_url = "http://127.0.0.1:" .. server.port,
    timeout = 60 }
  -- the server's task may be the one that fails
  aio.catch({ http.ClientConnectionError, http.ClientPayloadError }, ask, session)
end)
