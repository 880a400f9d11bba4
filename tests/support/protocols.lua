-- SPDX-License-Identifier: MIT
-- What the tests of transports have in common: protocols that note what happens, and a server.

local aio = require "aio"

local protocols = {}

---A protocol that notes its callbacks in `log`, and whose `lost` is done at its end.
function protocols.recorder(more)
  local self = { log = {}, lost = aio.Future() }
  local function note(...) self.log[#self.log + 1] = table.concat({ ... }, " ") end
  function self.connection_made(_, tr)
    self.transport = tr
    note "made"
  end
  function self.data_received(_, data) note("data", data) end
  function self.eof_received() note "eof" end
  function self.connection_lost(_, err)
    self.error = err
    note "lost"
    self.lost:set_result(err)
  end
  for key, value in pairs(more or {}) do self[key] = value end
  return self
end

---Calls fn(loop, srv, made) beside a server of protocols; made[i] is the i-th.
function protocols.with_server(fn, make, opts)
  aio.run(function()
    local loop = aio.get_running_loop()
    local made = {}
    local srv <close> = loop:create_server(function()
      made[#made + 1] = (make or protocols.recorder)()
      return made[#made]
    end, "127.0.0.1", 0, opts)
    fn(loop, srv, made)
  end)
end

---A protocol that answers in upper case.
function protocols.echo()
  local self = protocols.recorder()
  self.data_received = function(_, data) self.transport:write(data:upper()) end
  return self
end

---Collects what the exception handler is told.
function protocols.reports_of(loop)
  local reports = {}
  loop:set_exception_handler(function(_, ctx) reports[#reports + 1] = ctx end)
  return reports
end

---Waits until `ready` says so.
function protocols.wait_for(ready)
  for _ = 1, 2000 do
    if ready() then return end
    aio.sleep(0.005)
  end
  error("waited for nothing", 2)
end

return protocols
