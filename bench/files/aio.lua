-- files: small N CONC | lines MIB | blocks MIB KIB
local bench, aio = require "bench", require "aio"
local files = require "benchfiles"
local what, n = arg[1], bench.arg(2, 1000)

local function small(paths, conc)
  local size = 0
  if conc == 1 then
    for _, path in ipairs(paths) do size = size + #aio.fs.read(path) end
  else
    for _, text in ipairs(aio.map(aio.fs.read, paths, { limit = conc })) do size = size + #text end
  end
  return size
end

local function lines(path)
  local count, file <close> = 0, aio.open(path)
  for _ in file:lines() do count = count + 1 end
  return count
end

local function blocks(path, kib)
  local size, file <close> = 0, aio.open(path)
  for data in file:lines(kib * 1024) do size = size + #data end
  return size
end

files.run(what, n, bench.arg(3, 1), { small = small, lines = lines, blocks = blocks },
  function(fn) aio.run(fn) end)
