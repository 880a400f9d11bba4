-- SPDX-License-Identifier: MIT
-- Workers and channels under stress: aio-lua tests/stress/run.lua [seconds [seed [round]]]
-- Rounds with calls and rounds with messages, each with a seed of its own, for so many seconds.
-- Prints the seed and what was counted; ends with 1, and the round to repeat, when something was
-- lost, came twice, or hangs.

package.path = arg[0]:gsub("stress/[^/]*$", "") .. "?.lua;" .. package.path

require "support.env"
local aio = require "aio"

local SECONDS, PATIENCE = 60, 120 -- PATIENCE: for one round
local rounds = { require "stress.calls", (require "stress.channels") }

local seconds = tonumber(arg[1]) or SECONDS
local seed = math.tointeger(tonumber(arg[2])) or os.time()
local only = math.tointeger(tonumber(arg[3]))

local function play(number, counts)
  math.randomseed(seed, number)
  aio.timeout(PATIENCE, rounds[number % #rounds + 1], counts)
end

local function run(counts)
  local loop = aio.get_running_loop()
  local over, number = loop:time() + seconds, only or 0
  repeat
    counts.round = number
    play(number, counts)
    number = number + 1
  until only or loop:time() >= over
  counts.rounds = number
end

print("seed " .. seed)
io.stdout:flush()
local counts = {}
local ok, err = pcall(aio.run, run, counts)
if not ok then
  print(("failed: run.lua %g %d %d: %s"):format(seconds, seed, counts.round, tostring(err)))
  print(type(err) == "table" and err.traceback or "")
  os.exit(1)
end
print(("%d rounds; %d calls: %d returned, %d raised, %d cancelled; %d messages sent, %d received; "
  .. "none lost, none twice"):format(counts.rounds, counts.calls or 0, counts.returned or 0,
  counts.raised or 0, counts.cancelled or 0, counts.sent or 0, counts.received or 0))
