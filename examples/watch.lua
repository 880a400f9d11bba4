-- A file watcher: runs a command whenever something changes in a folder, once things are quiet.
-- With arguments: watch.lua FOLDER COMMAND [ARGUMENT...]. Without: a folder of its own, and
-- somebody who saves files there.
local aio = require "aio"

local QUIET = 0.1 -- seconds without another event: an editor that saves makes several at once

-- The names that have changed, once nothing has changed for a while; nil when the watch is closed.
-- Temporary files come and go.
local function changes(watch)
  local event = watch()
  if not event then return nil end
  local names, seen = {}, {}
  while event do
    if event.type == "overflow" then event.name = "(many)" end
    if not seen[event.name] and not event.name:find "%.tmp$" then names[#names + 1] = event.name end
    seen[event.name] = true
    local ok
    ok, event = aio.catch(aio.TimeoutError, aio.wait_for, watch, QUIET)
    if not ok then break end
  end
  table.sort(names)
  return names
end

local function watch_and_run(folder, run)
  local watch <close> = aio.fs.watch(folder)
  for names in changes, watch do
    print("changed: " .. table.concat(names, " "))
    if run() == "stop" then return end
  end
end

-- Saves a file as an editor does: a new one takes the place of the old one.
local function editor(folder, saved)
  for _, text in ipairs { "print 'one'\n", "print 'two'\n" } do
    aio.fs.write(folder .. "/main.lua", text, { sync = false })
    saved:wait()
    saved:clear()
  end
end

local function demo()
  local folder = aio.fs.mkdtemp()
  local _ <close> = aio.defer(aio.fs.remove, folder, { recursive = true })
  local saved, runs = aio.Event(), 0
  aio.TaskGroup(function(tg)
    tg:create_task(watch_and_run, folder, function()
      runs = runs + 1
      io.write("run: ", aio.fs.read(folder .. "/main.lua"))
      saved:set()
      return runs == 2 and "stop"
    end)
    aio.sleep(QUIET)
    editor(folder, saved)
  end)
end

aio.main(function()
  if #arg == 0 then return demo() end
  watch_and_run(arg[1], function()
    local p <close> = aio.create_subprocess_exec(table.unpack(arg, 2))
    print("exit code " .. p:wait())
  end)
end)
-- prints:
-- changed: main.lua
-- run: print 'one'
-- changed: main.lua
-- run: print 'two'
