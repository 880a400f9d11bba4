-- x_chat_broadcast: what one client says reaches all others
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local clients = {}
  local joined = aio.Semaphore(0)
  local function handle(conn)
    local name = conn:read("l")
    clients[name] = conn
    joined:release()
    for line in conn:lines("L") do
      for other, peer in pairs(clients) do
        if other ~= name then
          peer:write_nowait(name, ": ", line)
        end
      end
    end
    clients[name] = nil
  end
  local srv = aio.start_server(handle, "127.0.0.1", 0)
  local conns = {}
  for _, name in ipairs { "ann", "bob", "cid" } do
    local conn = aio.open_connection("127.0.0.1", srv.port)
    conn:write(name, "\n")
    joined:acquire()
    conns[name] = conn
  end
  local function tell(name)
    say(name, "reads", conns[name]:read("l"))
  end
  conns.ann:write("hello\n")
  tell("bob")
  tell("cid")
  conns.cid:write("bye\n")
  tell("ann")
  tell("bob")
  for _, conn in pairs(conns) do
    conn:close()
  end
  srv:close()
  aio.sleep(0.01)
  local left = 0
  for _ in pairs(clients) do
    left = left + 1
  end
  say("left", left)
end)
