-- SPDX-License-Identifier: MIT
-- Groups of datagram endpoints: joining, leaving, what comes back, over which interface.

local lu = require "luaunit"
local aio = require "aio"
local datagrams = require "support.datagrams"

local raised = require("support.tasks").raised

local UV = datagrams.over_uv()

local T = { TestGroups = {} }

local function name_of(d) return d:get_extra_info "sockname" end

function T.TestGroups.test_a_group()
  aio.run(function()
    local GROUP = "239.192.77.1"
    local d <close> = aio.open_datagram { local_addr = { "0.0.0.0", 0 }, reuse_port = not UV,
      multicast_ttl = 1, multicast_loop = true, multicast_interface = "127.0.0.1" }
    local to = { GROUP, name_of(d).port }
    d:join_group(GROUP, "127.0.0.1")
    d:send("to the group", to)
    lu.assertEquals(d:recv(), "to the group")
    d:leave_group(GROUP, "127.0.0.1")
    local err = raised(aio.OSError, d.leave_group, d, GROUP, "127.0.0.1")
    lu.assertEquals(err.code, "EADDRNOTAVAIL")
    d:send("to nobody", to)
    d:send("to me", { "127.0.0.1", to[2] })
    lu.assertEquals(d:recv(), "to me")
  end)
end

function T.TestGroups.test_two_members_on_one_machine()
  lu.skipIf(UV, "reuse_port is another option there")
  aio.run(function()
    local GROUP = "239.192.77.2"
    local one <close> = aio.open_datagram { local_addr = { "0.0.0.0", 0 }, reuse_port = true }
    local port = name_of(one).port
    local two <close> = aio.open_datagram { local_addr = { "0.0.0.0", port }, reuse_port = true }
    for _, d in ipairs { one, two } do d:join_group(GROUP, "lo") end
    local sender <close> = aio.open_datagram { multicast_interface = "lo" }
    sender:send("all", { GROUP, port })
    lu.assertEquals({ (one:recv()), (two:recv()) }, { "all", "all" })
  end)
end

function T.TestGroups.test_ipv6_groups()
  lu.skipIf(UV, "needs an interface by name")
  aio.run(function()
    local d <close> = aio.open_datagram { family = "inet6", multicast_interface = "lo",
      multicast_ttl = 1, multicast_loop = false }
    d:join_group("ff02::77", "lo")
    d:leave_group("ff02::77", "lo")
    raised(aio.OSError, d.leave_group, d, "ff02::77", "lo")
  end)
end

-- An interface with IPv6 that is up and can send to groups (the loopback cannot), or nil.
local function ipv6_interface()
  local UP_MULTICAST, list <close> = 0x1001, io.open "/proc/net/if_inet6"
  for line in list and list:lines() or function() end do
    local name = line:match "%S+$"
    local flags <close> = io.open("/sys/class/net/" .. name .. "/flags")
    local bits = flags and math.tointeger(tonumber(flags:read "l")) or 0
    if bits & UP_MULTICAST == UP_MULTICAST then return name end
  end
  return nil
end

function T.TestGroups.test_sending_to_an_ipv6_group()
  lu.skipIf(UV, "needs an interface by name")
  local interface = ipv6_interface()
  lu.skipIf(not interface, "no interface with IPv6 and groups")
  aio.run(function()
    local GROUP = "ff01::77" -- never leaves this machine
    local function member(loop)
      return aio.open_datagram { local_addr = { "::", 0 }, family = "inet6", multicast_ttl = 1,
        multicast_loop = loop, multicast_interface = interface }
    end
    local d <close> = member(true)
    local deaf <close> = member(false)
    for _, each in ipairs { d, deaf } do each:join_group(GROUP, interface) end
    d:send("to the group", { GROUP, name_of(d).port })
    lu.assertEquals(d:recv(), "to the group")
    deaf:send("to the group", { GROUP, name_of(deaf).port })
    deaf:send("to me", { "::1", name_of(deaf).port })
    lu.assertEquals(deaf:recv(), "to me")
    -- as long as one has joined, the system lets others hear too
    for _, each in ipairs { d, deaf } do each:leave_group(GROUP, interface) end
    d:send("to nobody", { GROUP, name_of(d).port })
    d:send("to me", { "::1", name_of(d).port })
    lu.assertEquals(d:recv(), "to me")
  end)
end

function T.TestGroups.test_wrong_groups()
  aio.run(function()
    local server <close> = aio.open_datagram { local_addr = { "127.0.0.1", 0 } }
    lu.assertErrorMsgContains("address of a group in digits", server.join_group, server, "group")
    lu.assertErrorMsgContains("bad argument", server.join_group, server)
    lu.assertEquals(raised(aio.OSError, server.join_group, server, "ff02::77").code, "EINVAL")
    raised(aio.OSError, server.join_group, server, "127.0.0.1") -- not one of a group
    local err = raised(aio.OSError, server.join_group, server, "239.1.2.3", "nonesuch")
    lu.assertStrMatches(err.code, UV and ".*" or "ENODEV")
  end)
end

return T
