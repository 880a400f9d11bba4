-- 320_unix_stream: streams over a unix socket
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function handle(conn)
  for line in conn:lines("L") do
    conn:write(line:upper())
  end
end

aio.run(function()
  local path = os.tmpname()
  os.remove(path)
  local _ <close> = aio.defer(os.remove, path)
  local srv = aio.start_unix_server(handle, path)
  local conn = aio.open_unix_connection(path)
  conn:write("one\ntwo\n")
  conn:write_eof()
  say(conn:read("l"))
  say(conn:read("l"))
  say("end", #conn:read("a"))
  conn:close()
  srv:close()
  local ok, err = aio.catch(aio.OSError, aio.open_unix_connection, path .. ".missing")
  if not ok and err.code == "ENOENT" then
    say("error: not found")
  end
end)
