-- x_runner_leftovers: tasks live on between runs and are cancelled when the runner closes
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local function server(q)
  local _ <close> = aio.defer(say, "server closed")
  while true do
    local item, f = table.unpack(q:get())
    f:set_result(item * 2)
  end
end

local function start()
  local q = aio.Queue()
  return q, aio.create_task(server, q)
end

local function ask(q, n)
  local f = aio.Future()
  q:put_nowait({ n, f })
  say("answer", f:await())
end

local t
do
  local r <close> = aio.Runner()
  local q
  q, t = r:run(start)
  say("between runs", t:done())
  r:run(ask, q, 1)
  r:run(ask, q, 2)
  say("closing", t:done())
end
say("cancelled", t:cancelled())
