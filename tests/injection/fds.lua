-- SPDX-License-Identifier: MIT
-- Memory fails while descriptors go over a Unix socket, and in a server at one of them.
local aio = require "aio"

aio.run(function()
  local path = "\0aio-injection-fds"
  local _ <close> = aio.start_unix_server(function(conn)
    local srv <close> = aio.start_server(function(c) c:write("hello") end, "127.0.0.1", 0,
      { start_serving = false })
    conn:send_fds("s", { srv.sockets[1] })
    conn:read(1)
  end, path)
  local conn <close> = aio.open_unix_connection(path, { fds = 1 })
  assert(conn:get_extra_info "peercred".uid)
  local fds, ours = {}, true
  local _ <close> = aio.defer(function()
    if ours and fds[1] then aio.close_fd(fds[1]) end
  end)
  local function serve(c) c:write("there") end
  local opts = {}
  fds = select(2, conn:recv_fds(1))
  if not fds[1] then return end -- the other task has met it
  opts.sock = fds[1]
  local srv <close> = aio.start_server(serve, opts)
  ours = false
  local client <close> = aio.open_connection("127.0.0.1", srv.port)
  assert(client:read("a") == "there")
end)
