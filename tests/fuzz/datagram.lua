-- SPDX-License-Identifier: MIT
-- Two datagram endpoints and random operations on them: what arrives was sent, each at most once,
-- in that order unless two tasks were sending; what did not fit into the queue is counted.

local aio = require "aio"
local input = require "input"

local SIZES = { 0, 1, 100, 1500, 9000, 65507, 65508 }
local HERE = { "127.0.0.1", 0 }

local function open_unix(n, i, other)
  local name = ("\0aio-fuzz-%d-%d"):format(input.process, n)
  return aio.open_datagram { local_addr = name, queue = i:int(1, 8),
    remote_addr = other and other:get_extra_info "sockname" }
end

local function open_udp(_, i, other)
  return aio.open_datagram { local_addr = HERE, queue = i:int(1, 8),
    remote_addr = other and other:get_extra_info "sockname" }
end

-- An end: its endpoint, the number of its last datagram, which of them may arrive, how many it has
-- sent; the number of the last one received, how many that were.
local function new_end(d)
  return { d = d, address = d:get_extra_info "sockname", number = 0, flying = {}, sent = 0,
    senders = 0, mixed = false, last = 0, got = 0 }
end

-- A datagram: its number again and again, when there is room for one.
local function text_of(number, size)
  if size < 4 then return ("x"):rep(size) end
  return ("<I4"):pack(number):rep((size + 3) // 4):sub(1, size)
end

local function send(e, to, size)
  local number, address = e.number + 1, not e.connected and to.address or nil
  e.number, e.flying[number] = number, true
  e.senders, e.mixed = e.senders + 1, e.mixed or e.senders > 0
  local ok, err = input.fate(e.d.send, e.d, text_of(number, size), address)
  e.senders = e.senders - 1
  if ok then
    e.sent = e.sent + 1
  else
    e.flying[number] = nil
    assert(e.d:is_closing() or to.d:is_closing() or size > 9000 or aio.is(err, aio.CancelledError),
      tostring(err))
  end
end

local function receive(e, from)
  local ok, data = input.fate(e.d.recv, e.d)
  if not ok or not data then return end
  e.got = e.got + 1
  local number = #data >= 4 and ("<I4"):unpack(data)
  assert(data == text_of(number, #data), "not as it was sent")
  if not number then return end
  assert(from.flying[number], "it was never sent, or has come before")
  assert(number > e.last or from.mixed, "an old one")
  e.last, from.flying[number] = number, nil
end

local function step(i, ends, tasks)
  local n, what = i:int(1, 2), i:byte() % 16
  local e, other = ends[n], ends[3 - n]
  if what < 7 then
    local size = i:pick(SIZES)
    tasks[#tasks + 1] = aio.create_task(send, e, other, size)
  elseif what < 11 then
    if not e.reader or e.reader:done() then
      e.reader = aio.create_task(receive, e, other)
      tasks[#tasks + 1] = e.reader
    end
  elseif what < 13 then
    input.turns(i:int(1, 4))
  elseif what < 15 then
    if #tasks > 0 then i:pick(tasks):cancel() end
  elseif i:one_in(4) then
    e.d:close()
  end
end

return input.target(function(i)
  local open = i:pick { open_unix, open_udp }
  local a = open(1, i)
  local b = open(2, i, i:one_in(4) and a or nil)
  local ends, tasks = { new_end(a), new_end(b) }, {}
  ends[2].connected = b:get_extra_info "peername" ~= nil
  while not i:done() do step(i, ends, tasks) end
  input.turns(4)
  for _, t in ipairs(tasks) do
    t:cancel()
    aio.catch(aio.CancelledError, t.await, t)
  end
  for n, e in ipairs(ends) do
    assert(e.got + e.d:dropped() <= ends[3 - n].sent, "more have arrived than were sent")
    e.d:close()
  end
end)
