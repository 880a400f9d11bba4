-- SPDX-License-Identifier: MIT
-- Memory fails while a protocol talks to a process.
local aio = require "aio"

aio.run(function()
  local loop, done, out, lost = aio.get_running_loop(), aio.Future(), "", nil
  local t = loop:subprocess_exec(function()
    return {
      pipe_data_received = function(_, _, data) out = out .. data end,
      pipe_connection_lost = function(_, _, err) lost = lost or err end,
      connection_lost = function() done:set_result() end,
    }
  end, "cat")
  t:get_pipe_transport(0):write "abc"
  t:get_pipe_transport(0):close()
  done:await()
  assert((out == "abc" or lost) and t:get_returncode() == 0)
end)
