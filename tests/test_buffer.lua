-- SPDX-License-Identifier: MIT
-- aio.Buffer, and protocols that receive into one.

local lu = require "luaunit"
local aio = require "aio"
local protocols = require "support.protocols"

local recorder, with_server = protocols.recorder, protocols.with_server
local reports_of, wait_for = protocols.reports_of, protocols.wait_for

local T = { TestProtocol = {}, TestBuffer = {} }

-- ---- protocols with buffers ----

-- Bytes that come in small pieces land behind each other, without a string for each.
function T.TestProtocol.test_receiving_into_a_part()
  local done
  local function make()
    local self = { buf = aio.Buffer(10), used = 0 }
    function self.get_buffer() return self.buf, self.used + 1, -1 end
    function self.buffer_updated(_, n)
      self.used = self.used + n
      if self.used == 10 then done:set_result(self.buf:sub()) end
    end
    return self
  end
  with_server(function(_, srv)
    done = aio.Future()
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    for _, part in ipairs { "abc", "def", "ghij" } do
      conn:write(part)
      aio.sleep(0.005)
    end
    lu.assertEquals(done:await(), "abcdefghij")
  end, make)
end

function T.TestProtocol.test_wrong_results_of_get_buffer()
  local cases = {
    { "must return an aio.Buffer, it returned a nil" },
    { "must return an aio.Buffer, it returned a string", "x" },
    { "a buffer without room", aio.Buffer(2), 3 },
    { "positions of the first and the last", aio.Buffer(2), "x" },
    { "positions of the first and the last", aio.Buffer(2), 1, {} },
  }
  local n = 0
  with_server(function(loop, srv, made)
    local reports = reports_of(loop)
    for i, case in ipairs(cases) do
      local conn <close> = aio.open_connection("127.0.0.1", srv.port)
      conn:write("x")
      wait_for(function() return #reports == i end)
      lu.assertStrContains(tostring(reports[i].exception), case[1])
      lu.assertEquals(reports[i].message,
        "protocol.get_buffer() failed; the connection is closed at once")
      lu.assertEquals(made[i].lost:await(), reports[i].exception)
    end
  end, function()
    n = n + 1
    local case = cases[n]
    return recorder {
      get_buffer = function() return table.unpack(case, 2, 4) end,
      buffer_updated = error,
    }
  end)
end

function T.TestProtocol.test_an_error_in_buffer_updated()
  with_server(function(loop, srv, made)
    local reports = reports_of(loop)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write("x")
    wait_for(function() return #reports == 1 end)
    lu.assertEquals(made[1].lost:await(), "no")
  end, function()
    return recorder {
      get_buffer = function() return aio.Buffer(5) end,
      buffer_updated = function() error("no", 0) end,
    }
  end)
end

function T.TestProtocol.test_an_error_in_get_buffer()
  with_server(function(loop, srv, made)
    local reports = reports_of(loop)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write("x")
    wait_for(function() return #reports == 1 end)
    lu.assertEquals(reports[1].exception, "none")
    lu.assertEquals(made[1].lost:await(), "none")
    lu.assertNil(conn:read(1))
  end, function()
    return recorder { get_buffer = function() error("none", 0) end, buffer_updated = error }
  end)
end

function T.TestProtocol.test_closing_in_get_buffer()
  with_server(function(_, srv, made)
    local conn <close> = aio.open_connection("127.0.0.1", srv.port)
    conn:write("x")
    wait_for(function() return made[1] and made[1].lost:done() end)
    lu.assertEquals(made[1].log, { "made", "lost" })
  end, function()
    return recorder {
      get_buffer = function(self)
        self.transport:close()
        return aio.Buffer(5)
      end,
      buffer_updated = error,
    }
  end)
end

function T.TestBuffer.test_a_buffer()
  local b = aio.Buffer(6)
  lu.assertEquals(#b, 6)
  lu.assertEquals(b:sub(), ("\0"):rep(6))
  b:set(1, "abcdef")
  lu.assertEquals({ b:sub(2, 3), b:sub(-2), b:sub(5, 9), b:sub(4, 3), b:sub(-99, 2) },
    { "bc", "ef", "ef", "", "ab" })
  lu.assertEquals({ b:byte(1, 3) }, { 97, 98, 99 })
  lu.assertEquals({ b:byte(-1) }, { 102 })
  lu.assertEquals({ b:byte(7) }, {})
  b:move(3, 6, 1)
  lu.assertEquals(b:sub(), "cdefef")
  b:move(1, 4, 3)
  lu.assertEquals(b:sub(), "cdcdef")
  b:move(5, 4, 1)
  b:set(-2, "yz")
  lu.assertEquals(b:sub(), "cdcdyz")
  lu.assertStrMatches(tostring(b), "Buffer %(6 bytes%): 0?x?%x+")
  lu.assertEquals(aio.Buffer("text"):sub(), "text")
end

function T.TestBuffer.test_wrong_uses()
  local b = aio.Buffer(4)
  lu.assertErrorMsgContains("a positive number of bytes expected", aio.Buffer, 0)
  lu.assertErrorMsgContains("not empty", aio.Buffer, "")
  lu.assertErrorMsgContains("number expected", aio.Buffer)
  lu.assertErrorMsgContains("do not fit", b.set, b, 3, "abc")
  lu.assertErrorMsgContains("do not fit", b.set, b, 0, "a")
  lu.assertErrorMsgContains("do not fit", b.set, b, 6, "")
  lu.assertErrorMsgContains("do not fit", b.move, b, 1, 4, 2)
  lu.assertErrorMsgContains("Buffer expected", b.sub, "x")
  lu.assertErrorMsgContains("too many bytes", aio.Buffer(2000).byte, aio.Buffer(2000), 1, 2000)
end

return T
