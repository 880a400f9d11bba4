-- x_server_handler_error: an error in a connection's handler goes to the exception handler, the
-- server lives
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local function handle(conn)
  local d = conn:readline()
  if d == "bad\n" then
    conn:close()
    error(ValueError("handler failed"))
  end
  conn:write("ok ", d)
  conn:close()
end

aio.run(function()
  local loop = aio.get_running_loop()
  loop:set_exception_handler(function(_, c)
    say("handler", c.exception.name, c.exception.message)
  end)
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  for _, line in ipairs { "bad\n", "good\n" } do
    local conn = aio.open_connection("127.0.0.1", srv.port)
    conn:write(line)
    say("got", conn:read "a")
    conn:close()
    aio.sleep(0.005)
  end
  srv:close()
end)
