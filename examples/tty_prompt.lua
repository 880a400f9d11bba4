-- A prompt with line editing in raw mode, while a ticker goes on above it. Arrows, backspace,
-- Ctrl-A, Ctrl-E and Ctrl-U edit; Ctrl-D on an empty line and Ctrl-C end it. An argument is the
-- number of seconds between two ticks.

local aio = require "aio"

local PROMPT = "> "
local input, output

-- The line that is being typed, and how many of its characters are left of the cursor.
local left, right = "", ""

local function redraw()
  local columns = input:get_window_size()
  local before = PROMPT .. left
  local room = math.max((columns > 0 and columns or 80) - 1, 10)
  if #before > room then before = before:sub(-room) end
  local after = right:sub(1, room - #before)
  output:write("\r\27[K", before, after, #after > 0 and ("\27[%dD"):format(#after) or "")
end

-- Writes a line above the prompt.
local function say(...)
  output:write("\r\27[K", ...)
  output:write("\n")
  redraw()
end

-- What each key does; false ends the program.
local keys = {
  ["\3"] = function() return false end,
  ["\4"] = function() return left .. right ~= "" end,
  ["\1"] = function() left, right = "", left .. right end,
  ["\5"] = function() left, right = left .. right, "" end,
  ["\21"] = function() left, right = "", "" end,
  ["\8"] = function() left = left:sub(1, -2) end,
  ["\27[D"] = function() left, right = left:sub(1, -2), left:sub(-1) .. right end,
  ["\27[C"] = function() left, right = left .. right:sub(1, 1), right:sub(2) end,
  ["\r"] = function()
    local line = left .. right
    left, right = "", ""
    say(PROMPT, line)
    if line ~= "" then say("you said: ", line:upper()) end
  end,
}
keys["\127"], keys["\n"] = keys["\8"], keys["\r"]

-- The next key: a byte, or the sequence that begins with an escape.
local function read_key()
  local byte = input:read(1)
  if byte ~= "\27" then return byte end
  local second = input:read(1)
  if second ~= "[" then return second end
  return "\27[" .. (input:read(1) or "")
end

local function edit()
  for key in read_key do
    local action = keys[key]
    if action then
      if action() == false then return end
    elseif not key:find "%c" then
      left = left .. key
    end
    redraw()
  end
end

aio.main(function()
  input, output = aio.stdin(), aio.stdout()
  if not input:isatty() then
    for line in input:lines() do output:write("you said: ", line:upper(), "\n") end
    return
  end
  input:set_mode "raw" -- put back when the program ends, however it ends
  local ticker = aio.create_task(function()
    for i = 1, math.huge do
      aio.sleep(tonumber(arg[1]) or 1)
      say("tick ", i)
    end
  end)
  redraw()
  edit()
  ticker:cancel()
  output:write "\nbye\n"
end)
