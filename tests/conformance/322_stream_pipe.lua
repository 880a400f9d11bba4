-- 322_stream_pipe: reading a pipe through a stream reader
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

-- Two files at the ends of one pipe.
local function pipe()
  local path = os.tmpname()
  os.remove(path)
  assert(os.execute("mkfifo " .. path))
  local both = assert(io.open(path, "r+")) -- so that the others find a peer
  local reader, writer = assert(io.open(path, "r")), assert(io.open(path, "w"))
  both:close()
  os.remove(path)
  return reader, writer
end

aio.run(function()
  local r, w = pipe()
  local reader, writer = aio.connect_pipe(r), aio.connect_pipe(w)
  r:close() -- the streams have descriptors of their own
  w:close()
  writer:write("through a pipe\n")
  say(reader:read("l"))
  writer:close()
  say("end", #reader:read("a"))
  reader:close()
end)
