-- x_stream_client_says_nothing: a client that connects and goes, and one that sends half a line
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local log = aio.Queue()
  local function handle(conn)
    local line = conn:readline() or ""
    log:put_nowait({ #line, line:sub(-1) == "\n" })
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  for _, data in ipairs { "", "half", "whole\n" } do
    local conn = aio.open_connection("127.0.0.1", srv.port)
    conn:write(data)
    conn:close()
    conn:wait_closed()
    say(table.unpack(log:get()))
  end
  srv:close()
end)
