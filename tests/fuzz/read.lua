-- SPDX-License-Identifier: MIT
-- The receive queue and every way of reading, over bytes that arrive in all kinds of pieces,
-- against a model: a string and a position in it.

local aio = require "aio"
local stream_pair = require("aio.pair").stream_pair
local input = require "input"

local ALPHABETS = { "a\n", "ab\r\n", "aab", "abc\n\r\0" }
local SEPARATORS = { "\n", "\r\n", "ab", "aab", "a\n", "\r", "ba", "aaa", "\0", "abc\n\r\0ab" }

-- ---- what is written ----

local function make_text(i)
  local alphabet, parts = i:pick(ALPHABETS), {}
  for n = 1, i:int(0, 24) do
    if i:one_in(4) then
      local c = i:int(1, #alphabet)
      parts[n] = alphabet:sub(c, c):rep(i:int(0, 300))
    else
      local text = i:take(i:int(0, 12))
      parts[n] = text:gsub(".", function(b)
        local c = b:byte() % #alphabet + 1
        return alphabet:sub(c, c)
      end)
    end
  end
  return parts
end

-- Ends the direction: with the end of the file, a close, an abort that may lose what is queued.
local ENDS = { "write_eof", "close", "abort" }

local function writer(conn, parts, pauses, how)
  for n, part in ipairs(parts) do
    if pauses[n] == 0 then
      conn:write(part)
    else
      conn:write_nowait(part)
      input.turns(pauses[n] - 1)
    end
  end
  conn[how](conn)
end

-- ---- the model ----

-- What is still to come of `text` when `pos` bytes have been read.
local Model = {}
Model.__index = Model

function Model:rest() return self.text:sub(self.pos + 1) end

function Model:took(n) self.pos = self.pos + n end

-- Was something read that is not the next in the text?
function Model:next_is(got)
  local want = self.text:sub(self.pos + 1, self.pos + #got)
  if got ~= want then
    error(("%q read at %d, %q expected"):format(got:sub(1, 80), self.pos, want:sub(1, 80)), 0)
  end
  self:took(#got)
end

-- Where the separator that ends first begins and ends, or nil.
local function first_match(text, separators)
  local at, last
  for _, sep in ipairs(separators) do
    local from, to = text:find(sep, 1, true)
    if from and (not last or to < last) then at, last = from, to end
  end
  return at, last
end

local function longest(separators)
  local n = 0
  for _, sep in ipairs(separators) do n = math.max(n, #sep) end
  return n
end

-- ---- the ways of reading ----

-- Each gets what the stream gave (`ok`, then the result or the error) and compares.
local ways = {}

local function check(ok, text, ...)
  if not ok then error(text:format(...), 0) end
end

function ways.some(i, m)
  local n = i:int(1, 300)
  return { "read", n }, function(ok, got)
    check(ok, "read(n) raised %s", got)
    if got == nil then return check(m:rest() == "", "the end before the end") end
    check(#got >= 1 and #got <= n, "read(%d) gave %d bytes", n, #got)
    m:next_is(got)
  end
end

function ways.all(_, m)
  return { "read", "a" }, function(ok, got)
    check(ok, "read('a') raised %s", got)
    check(got == m:rest(), "read('a') gave %d bytes of %d", #got, #m:rest())
    m:took(#got)
  end
end

function ways.exactly(i, m)
  local n = i:int(0, 300)
  return { "readexactly", n }, function(ok, got)
    local rest = m:rest()
    if #rest >= n then
      check(ok and #got == n, "readexactly(%d) did not: %s", n, got)
      return m:next_is(got)
    end
    check(not ok and aio.is(got, aio.IncompleteReadError), "readexactly(%d) past the end", n)
    check(got.partial == rest and got.expected == n, "partial: %d of %d", #got.partial, #rest)
    m:took(#rest)
  end
end

-- readline, read("l"), lines: `keep` says whether the newline is part of the result.
local function line_way(call, keep)
  return function(_, m)
    return call, function(ok, got)
      local rest = m:rest()
      local newline = rest:find("\n", 1, true)
      local length = newline and newline - 1 or #rest
      if rest == "" then return check(ok and got == nil, "a line behind the end: %s", got) end
      if length > m.limit then
        check(not ok and aio.is(got, aio.LimitOverrunError), "a line of %d over the limit", length)
        check(got.consumed == (newline or #rest), "%d consumed of %d", got.consumed, length)
      else
        check(ok and got == rest:sub(1, newline and keep and newline or length), "line %q", got)
      end
      m:took(newline or #rest)
    end, true
  end
end

local readline = line_way({ "readline" }, true)

ways.readline = readline
ways.line = line_way({ "read", "l" }, false)
ways.long_line = line_way({ "read", "L" }, true)

ways.lines = line_way({ "lines", "l" }, false)
ways.long_lines = line_way({ "lines", "L" }, true)

function ways.until_one_of(i, m)
  local separators = {}
  for n = 1, i:int(1, 3) do separators[n] = i:pick(SEPARATORS) end
  local what = #separators == 1 and i:one_in(2) and separators[1] or separators
  return { "readuntil", what }, function(ok, got)
    local rest = m:rest()
    local at, last = first_match(rest, separators)
    if at and at - 1 > m.limit or not at and #rest + 1 - longest(separators) > m.limit then
      check(not ok and aio.is(got, aio.LimitOverrunError), "readuntil over the limit: %s", got)
      check(got.consumed > m.limit, "consumed %d", got.consumed)
    elseif at then
      check(ok, "readuntil raised %s", got)
      m:next_is(got)
      check(#got == last, "readuntil gave %d bytes, not %d", #got, last)
    else
      check(not ok and aio.is(got, aio.IncompleteReadError), "readuntil past the end: %s", got)
      check(got.partial == rest, "partial: %d of %d", #got.partial, #rest)
      m:took(#rest)
    end
  end
end

local names = {}
for name in pairs(ways) do names[#names + 1] = name end
table.sort(names)

-- ---- the reader ----

local EXPECTED = { aio.IncompleteReadError, aio.LimitOverrunError, aio.CancelledError, aio.OSError }

local function perform(conn, call)
  if call[1] == "lines" then return aio.catch(EXPECTED, conn:lines(call[2])) end
  return aio.catch(EXPECTED, conn[call[1]], conn, call[2])
end

-- One read, that is sometimes cancelled after some turns. It has lost nothing then, unless it was
-- throwing away a line over the limit: then the next reading of a line goes on with that.
local function read_one(i, conn, m)
  local call, compare, is_line = ways[i:pick(names)](i, m)
  local ok, got
  if i:one_in(4) then
    local t = aio.create_task(perform, conn, call)
    input.turns(i:int(0, 4))
    if not t:done() then t:cancel() end
    local alive
    alive, ok, got = aio.catch(EXPECTED, t.await, t)
    if not alive or not ok and aio.is(got, aio.CancelledError) then
      if not is_line then return end
      call, compare = readline(i, m)
      ok, got = perform(conn, call)
    end
  else
    ok, got = perform(conn, call)
  end
  compare(ok, got)
end

local function select_one(i, conn, m)
  local n = i:int(1, 300)
  local which, got = aio.select { { conn, "read", n }, { sleep = i:int(0, 1) } }
  if which == 1 and got then m:next_is(got) end
end

-- With an abort at the other end, or a reset, the text ends somewhere.
local function read_prefix(conn, m)
  local ok, err
  repeat
    local got
    ok, got = aio.catch(aio.OSError, conn.read, conn, 100)
    if ok and got then m:next_is(got) end
    err = got
  until not ok or got == nil
  check(ok or m.reset and err.code == "ECONNRESET", "%s", err)
end

local function run(i)
  local limit = i:int(1, 64)
  local reset = i:one_in(16) and i:int(1, 600) or nil
  local a, b = stream_pair {
    limit = limit, capacity = i:int(1, 512), chunk = i:int(1, 128), reset_after = reset,
    seed = i:one_in(2) and i:int(0, 65535) or nil,
  }
  local parts, pauses = make_text(i), {}
  for n = 1, #parts do pauses[n] = i:int(0, 3) end
  local how = i:pick(ENDS)
  local m = setmetatable({ text = table.concat(parts), pos = 0, limit = limit, reset = reset },
    Model)
  local t = aio.create_task(input.fate, writer, a, parts, pauses, how)
  if reset or how == "abort" then
    read_prefix(b, m)
  else
    while not i:done() do (i:one_in(8) and select_one or read_one)(i, b, m) end
    local _, compare = ways.all(i, m)
    compare(aio.catch(EXPECTED, b.read, b, "a"))
    check(b:at_eof(), "not at the end")
  end
  b:close()
  t:await()
  a:abort()
end

return input.target(run)
