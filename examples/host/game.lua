-- SPDX-License-Identifier: MIT
-- The scripts of the game. They wait wherever they like; game.c gives them 2 ms of each frame.
-- load_asset(name) is a function in C; it returns a future that a thread completes.

local aio, load_asset = ...
local game = {}

local CROWD = 1000

-- A server and its client in one program; each waits for the other, the frames go on.
local function conversation()
  local server <close> = aio.start_server(function(conn)
    for line in conn:lines() do conn:write("you said '", line, "'\n") end
  end, "127.0.0.1", 0)
  local conn <close> = aio.open_connection("127.0.0.1", server.port)
  for _, line in ipairs { "hello", "goodbye" } do
    conn:write(line, "\n")
    print("server: " .. conn:read("l"))
  end
  conn:write_eof()
end

-- Writing to one who has gone is an error to handle, and no signal that ends the program.
local function gone()
  local server <close> = aio.start_server(function() end, "127.0.0.1", 0)
  local conn <close> = aio.open_connection("127.0.0.1", server.port)
  assert(conn:read(1) == nil)
  local ok, err
  repeat
    ok, err = aio.pcall(conn.write, conn, "anybody there?")
    aio.sleep(0)
  until not ok
  print("client: " .. err.code)
end

function game.play()
  print("asset: " .. load_asset("hero"):await())
  conversation()
  gone()
  game.played = true
end

-- A level that never comes to an end by itself.
local tidied = 0

local function monster()
  local _ <close> = aio.defer(function()
    aio.sleep(0) -- tidying up may wait
    tidied = tidied + 1
  end)
  while true do aio.sleep(3600) end
end

function game.level()
  local monsters <close> = aio.TaskGroup()
  for _ = 1, 50 do monsters:create_task(monster) end
  monsters:create_task(function()
    local server <close> = aio.start_server(function(conn)
      game.level_is_up = true
      conn:read(1)
    end, "127.0.0.1", 0)
    local conn <close> = aio.open_connection("127.0.0.1", server.port)
    conn:read(1) -- nothing ever comes
  end)
  load_asset("endless"):await()
end

function game.monsters_tidied() return tidied end

-- A thousand that move once a frame.
local moved = 0

local function walker()
  aio.next_step()
  moved = moved + 1
  while true do aio.next_step() end
end

function game.crowd()
  for _ = 1, CROWD do aio.create_task(walker) end
end

function game.crowd_moved() return moved end

return game
