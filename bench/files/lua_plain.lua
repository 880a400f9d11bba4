-- files: the same by plain io, which blocks: a floor, no peer
local bench = require "bench"
local files = require "benchfiles"

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function small(paths)
  local size = 0
  for _, path in ipairs(paths) do size = size + #read(path) end
  return size
end

local function lines(path)
  local count = 0
  for _ in io.lines(path) do count = count + 1 end
  return count
end

local function blocks(path, kib)
  local size = 0
  for data in io.lines(path, kib * 1024) do size = size + #data end
  return size
end

files.run(arg[1], bench.arg(2, 1000), bench.arg(3, 1),
  { small = small, lines = lines, blocks = blocks },
  function(fn) fn() end)
