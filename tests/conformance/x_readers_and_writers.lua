-- x_readers_and_writers: add_reader and add_writer on one socket, removal counts, a callback that
-- removes itself
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

aio.run(function()
  local loop = aio.get_running_loop()
  local a, b = aio.socketpair()
  local function writable() say("writable", loop:remove_writer(a)) end
  local function readable(tag)
    local d = a:recv(10)
    say("readable", tag, d or "")
    if not d then say(loop:remove_reader(a)) end
  end
  loop:add_writer(a, writable)
  loop:add_reader(a, readable, "first")
  aio.sleep(0.005)
  b:send("1")
  aio.sleep(0.005)
  loop:add_reader(a, readable, "second")
  b:send("2")
  aio.sleep(0.005)
  b:close()
  aio.sleep(0.005)
  say(loop:remove_reader(a), loop:remove_writer(a))
  a:close()
end)
