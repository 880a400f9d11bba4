-- SPDX-License-Identifier: MIT
-- Two connected ends and random operations on both of them: writing in every way, reading, ending,
-- closing, cancelling. No byte may be lost, come twice or in another order; nobody waits for ever.

local aio = require "aio"
local input = require "input"

local MOST = 1 << 17 -- bytes in one direction
local SIZES = { 1, 3, 40, 300, 2000, 20000, 40000 }

-- What goes in each direction: bytes in which no two places look alike.
local function pattern(seed)
  local words = {}
  for n = 1, MOST // 4 do
    seed = seed * 6364136223846793005 + 1442695040888963407
    words[n] = ("<I4"):pack(seed >> 32 & 0xFFFFFFFF)
  end
  return table.concat(words)
end

local PATTERNS = { pattern(1), pattern(2) }

-- ---- an end ----

-- sent: bytes that the stream has taken; got: bytes that the other end has read; most: bytes that
-- may be sent; whole: all that was taken must arrive.
local function new_end(conn, n, most)
  return { conn = conn, most = most, text = PATTERNS[n], sent = 0, got = 0,
    whole = true, ended = false, tasks = {} }
end

-- Something may be lost from now on, in both directions.
local function breaks(e)
  e.whole, e.other.whole = false, false
end

-- The next bytes, in some pieces.
local function pieces(e, i)
  local size = math.min(i:pick(SIZES), e.most - e.sent)
  local text = e.text:sub(e.sent + 1, e.sent + size)
  if size < 2 or i:one_in(2) then return text, size end
  local at = i:int(1, #text - 1)
  return { text:sub(1, at), text:sub(at + 1) }, size
end

-- Calls a function that writes `size` bytes. Wrong states are known before.
local function writes(e, size, method, ...)
  local refused = e.conn:is_closing() or e.ended
  if not refused then e.sent = e.sent + size end
  local ok, err = input.fate(e.conn[method], e.conn, ...)
  if refused then
    assert(not ok and aio.is(err, aio.RuntimeError) or aio.is(err, aio.OSError), tostring(err))
  elseif not ok and not aio.is(err, aio.CancelledError) then
    assert(not e.whole or e.conn:is_closing() or e.other.conn:is_closing(), tostring(err))
    e.whole = false
  end
  return ok and err
end

-- `got` is what the other end has sent next.
local function received(e, got)
  local from = e.other
  assert(from.got + #got <= from.sent, "more was read than was written")
  if from.text:sub(from.got + 1, from.got + #got) ~= got then
    error(("what was read at %d (%d bytes) is not what was written"):format(from.got, #got))
  end
  from.got = from.got + #got
end

-- Reads once; false at the end, or after an error.
local function reads(e, method, n)
  local ok, got = aio.catch({ aio.OSError, aio.IncompleteReadError, aio.RuntimeError },
    e.conn[method], e.conn, n)
  if not ok and aio.is(got, aio.IncompleteReadError) then
    received(e, got.partial)
    return false
  end
  if ok and got then received(e, got) end
  if not ok then
    local closed = e.conn:is_closing() or e.other.conn:is_closing()
    assert(closed or not e.other.whole, tostring(got))
  end
  return ok and got ~= nil
end

local function spawn(e, fn, ...)
  local args = table.pack(...)
  e.tasks[#e.tasks + 1] = aio.create_task(function()
    aio.catch(aio.CancelledError, fn, table.unpack(args, 1, args.n))
  end)
end

-- ---- what can happen ----

local ops = {}

function ops.write(i, e)
  spawn(e, function()
    local what, size = pieces(e, i)
    writes(e, size, "write", what)
  end)
end

function ops.write_nowait(i, e)
  local what, size = pieces(e, i)
  local below = writes(e, size, "write_nowait", what)
  assert(below ~= nil)
end

function ops.writelines(i, e)
  spawn(e, function()
    local what, size = pieces(e, i)
    writes(e, size, "writelines", type(what) == "table" and what or { what })
  end)
end

function ops.drain(_, e)
  spawn(e, function() input.fate(e.conn.drain, e.conn) end)
end

function ops.read(i, e)
  if e.reader and not e.reader:done() then return end
  local exactly, n, again = i:one_in(4), i:pick(SIZES), i:int(0, 3)
  spawn(e, function()
    for _ = 0, again do
      if not reads(e, exactly and "readexactly" or "read", n) then return end
    end
  end)
  e.reader = e.tasks[#e.tasks]
end

function ops.write_eof(_, e)
  if e.conn:is_closing() then return end
  if input.fate(e.conn.write_eof, e.conn) then e.ended = true else e.whole = false end
end

function ops.set_limits(i, e)
  local high = i:one_in(2) and i:int(0, 3) or i:int(0, 1 << 16)
  e.conn:set_limits { high = high, low = i:one_in(2) and i:int(0, high) or nil }
end

function ops.cancel(i, e)
  if #e.tasks > 0 then i:pick(e.tasks):cancel() end
end

function ops.turns(i) input.turns(i:int(1, 8)) end

-- With a real descriptor the virtual clock waits for real quiet, which takes too long here.
function ops.wait(i, e)
  local seconds = i:int(0, 40)
  if not e.conn:is_closing() and not e.conn:get_extra_info("fileno") then aio.sleep(seconds) end
end

-- What closes has still to be sent; what the other has on its way is lost.
function ops.close(_, e)
  e.conn:close()
  e.other.whole = false
end

function ops.abort(_, e)
  e.conn:abort()
  breaks(e)
end

local often = { ops.write, ops.write_nowait, ops.writelines, ops.drain, ops.read, ops.read,
  ops.write_eof, ops.set_limits, ops.cancel, ops.turns, ops.wait }
local seldom = { ops.close, ops.abort, ops.write_eof, ops.read }

-- ---- the whole ----

local M = {}

local function finish(e)
  if not e.conn:is_closing() then ops.write_eof(nil, e) end
end

local function ended(t) aio.catch(aio.CancelledError, t.await, t) end

local function stop_reading(e)
  if not e.reader then return end
  e.reader:cancel()
  ended(e.reader)
end

-- All has been read: nobody has a reason to wait for room any more. Where bytes are lost, an abort
-- comes first.
local function await_writers(e)
  if not (e.whole and e.other.whole) then e.conn:abort() end
  for _, t in ipairs(e.tasks) do ended(t) end
end

local function read_to_the_end(e)
  while reads(e, "read", 65536) do end
end

---@param a table  one end
---@param b table  the other
---@param most integer  bytes in each direction: an input should not take long
function M.run(i, a, b, most)
  local ends = { new_end(a, 1, math.min(most, MOST)), new_end(b, 2, math.min(most, MOST)) }
  ends[1].other, ends[2].other = ends[2], ends[1]
  while not i:done() do
    local what = i:byte()
    local list = what >= 240 and seldom or often
    list[1 + (what >> 1) % #list](i, ends[1 + what % 2])
  end
  for _, e in ipairs(ends) do stop_reading(e) end
  for _, e in ipairs(ends) do finish(e) end
  aio.gather(function() read_to_the_end(ends[1]) end, function() read_to_the_end(ends[2]) end)
  for _, e in ipairs(ends) do await_writers(e) end
  for n, e in ipairs(ends) do
    if e.whole and e.got ~= e.sent then
      error(("end %d: %d bytes of %d have arrived"):format(n, e.got, e.sent))
    end
  end
  for _, e in ipairs(ends) do e.conn:close() end
  -- Two that close with bytes in both directions wait for each other: nobody reads any more.
  for _, e in ipairs(ends) do
    if not e.whole then e.conn:abort() end
  end
  for _, e in ipairs(ends) do input.fate(e.conn.wait_closed, e.conn) end
end

return M
