-- A small protocol library: lines over any transport, with back-pressure, and a server of it.

local aio = require "aio"

-- ---- the library: bytes come in, lines go out ----

local Lines = { LIMIT = 1024 }
Lines.__index = Lines

local function new(on_line, on_end)
  return setmetatable({ on_line = on_line, on_end = on_end, rest = "" }, Lines)
end

function Lines:connection_made(transport) self.transport = transport end

function Lines:data_received(data)
  data = self.rest .. data
  local from, newline = 1, data:find("\n", 1, true) -- "[^\n]*\n" looks from each byte to the end
  while newline do
    self:on_line(data:sub(from, newline - 1))
    if self.transport:is_closing() then return end
    from = newline + 1
    newline = data:find("\n", from, true)
  end
  self.rest = data:sub(from)
  if #self.rest > Lines.LIMIT then
    self:send("error: a line of more than ", Lines.LIMIT, " bytes")
    self.transport:close()
  end
end

-- Who does not read the answers gets no more questions in.
function Lines:pause_writing() self.transport:pause_reading() end
function Lines:resume_writing() self.transport:resume_reading() end

function Lines:send(...) self.transport:write({ ... }, "\n") end

function Lines:connection_lost(err)
  if self.on_end then self:on_end(err) end
end

-- ---- a server: it adds numbers up ----

local function adder()
  local sum = 0
  return new(function(self, line)
    if line == "quit" then return self.transport:close() end
    local number = tonumber(line)
    if not number then return self:send("error: no number: ", line) end
    sum = sum + number
    self:send(sum)
  end)
end

-- With a port it serves; alone it also asks.
aio.main(function(port)
  io.stdout:setvbuf("line")
  local loop = aio.get_running_loop()
  local server <close> = loop:create_server(adder, "127.0.0.1", tonumber(port or 0))
  if port then
    print("listening on 127.0.0.1:" .. server.port)
    return server:serve_forever()
  end

  local ended = aio.Future()
  local _, client = loop:create_connection(function()
    return new(function(_, line) print(line) end, function(_, err) ended:set_result(err) end)
  end, "127.0.0.1", server.port)
  for _, word in ipairs { 1, 20, "many", 300, "quit" } do client:send(word) end
  print("ended", ended:await())
end, ...)

-- prints:
-- 1
-- 21
-- error: no number: many
-- 321
-- ended	nil
