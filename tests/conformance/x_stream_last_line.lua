-- x_stream_last_line: empty lines, a last line without a newline, and the end (nil in Lua)
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  conn:write("one\n\nthree")
end

aio.run(function()
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  for _ = 1, 4 do
    local line = conn:readline() or ""
    say("length", #line, "newline", line:sub(-1) == "\n")
  end
  conn:close()
  srv:close()
end)
