-- Why `run` cannot be called while a loop runs: it would have to run its own loop to the end
-- before it returns, and for so long every task of the loop outside would stand still, also the
-- one that it waits for. It is not needed either: inside a loop a function is just called, and
-- what shall run beside is a task.
local aio = require "aio"

local function job()
  aio.sleep(0.01)
  return "done"
end

local function main()
  local ok, err = pcall(aio.run, job)
  print(ok, err.name)
  print("called:", job())
  print("beside:", aio.create_task(job):await())
end

aio.run(main)
print("one after the other:", aio.run(job), aio.run(job))

-- prints:
-- false	RuntimeError
-- called:	done
-- beside:	done
-- one after the other:	done	done
