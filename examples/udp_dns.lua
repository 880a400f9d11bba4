-- Asks a DNS server over UDP, with a time limit and a second try: an answer may be lost. The server
-- is a small one of our own, in the same program, which loses the first question. With a port (0
-- takes a free one) it only serves, until Ctrl-C: udp_dns.lua [port]
local aio = require "aio"

local A, IN = 1, 1 -- an IPv4 address, in the Internet
local HEADER = ">I2I2I2I2I2I2" -- id, flags, and how many questions, answers and two more
local ASKED, ANSWERED, UNKNOWN = 0x0100, 0x8180, 0x8183

-- "www.lua.example" as a chain of labels, each with its length.
local function labels(name)
  return name:gsub("([^.]+)%.?", function(label) return string.pack("s1", label) end) .. "\0"
end

local function question(id, name)
  return HEADER:pack(id, ASKED, 1, 0, 0, 0) .. labels(name) .. (">I2I2"):pack(A, IN)
end

-- The name in a question, and where it ends.
local function name_in(packet)
  local parts, at = {}, HEADER:packsize() + 1
  while true do
    parts[#parts + 1], at = ("s1"):unpack(packet, at)
    if parts[#parts] == "" then return table.concat(parts, ".", 1, #parts - 1), at end
  end
end

local function answer(packet, zone)
  local id = (">I2"):unpack(packet)
  local name, at = name_in(packet)
  local host = zone[name]
  local asked = packet:sub(HEADER:packsize() + 1, at + 3)
  if not host then return HEADER:pack(id, UNKNOWN, 1, 0, 0, 0) .. asked end
  local bytes = string.char(host:match "(%d+)%.(%d+)%.(%d+)%.(%d+)")
  return HEADER:pack(id, ANSWERED, 1, 1, 0, 0) .. asked
    .. (">I2I2I2I4s2"):pack(0xC00C, A, IN, 300, bytes) -- 0xC00C: the name in the question
end

-- The address in an answer, or nil.
local function address_in(packet)
  local _, flags, _, count = HEADER:unpack(packet)
  if flags ~= ANSWERED or count < 1 then return nil end
  local _, at = name_in(packet)
  local bytes = select(5, (">I2I2I2I4s2"):unpack(packet, at + 4))
  return table.concat({ bytes:byte(1, 4) }, ".")
end

-- Anybody can send anything: what is no question gets no answer.
local function serve(d, zone, lost)
  for packet, from in d:datagrams() do
    local ok, reply = aio.pcall(answer, packet, zone)
    if ok and not lost then aio.catch(aio.OSError, d.send, d, reply, from) end
    lost = false
  end
end

-- Receives until the answer to this very question comes.
local function wait_answer(d, id)
  for packet in d:datagrams() do
    if (">I2"):unpack(packet) == id then return packet end
  end
end

local function resolve(server, name)
  local d <close> = aio.open_datagram { remote_addr = server }
  for try = 1, 3 do
    local id = math.random(0, 0xFFFF)
    d:send(question(id, name))
    local ok, packet = aio.catch(aio.TimeoutError, aio.timeout, 0.2, wait_answer, d, id)
    if ok then return address_in(packet) end
    print(("no answer to question %d, asking again"):format(try))
  end
  error(aio.TimeoutError("the server does not answer"))
end

aio.main(function(port)
  io.stdout:setvbuf("line")
  local zone = { ["www.lua.example"] = "192.0.2.80" }
  local d <close> = aio.open_datagram { local_addr = { "127.0.0.1", tonumber(port or 0) } }
  local server = d:get_extra_info "sockname"
  if port then
    print("listening on 127.0.0.1:" .. server.port)
    return serve(d, zone, false)
  end
  aio.create_task(serve, d, zone, true) -- which loses the first question
  print("www.lua.example", resolve(server, "www.lua.example"))
  print("no.such.example", resolve(server, "no.such.example"))
end, ...)

-- prints:
-- no answer to question 1, asking again
-- www.lua.example	192.0.2.80
-- no.such.example	nil
