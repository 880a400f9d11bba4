-- x_stream_read_cancelled: a cancelled readuntil, readexactly and read leave the data for the next
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local function handle(conn)
    for _, f in ipairs {
      function() return conn:readline() end,
      function() return conn:readexactly(8) end,
      function() return conn:read(10) end,
    } do
      if not aio.catch(aio.TimeoutError, aio.wait_for, f, 0.01) then say("timeout") end
    end
    conn:write("go\n")
    say(conn:readexactly(3), conn:readline())
    conn:close()
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conn = aio.open_connection("127.0.0.1", srv.port)
  aio.sleep(0.035)
  say(conn:readline())
  conn:write("abc")
  aio.sleep(0.005)
  conn:write("def\n")
  say(conn:read "a" == "")
  conn:close()
  srv:close()
end)
