-- The least that a luv user writes by hand to have tasks: a run queue drained
-- once for each turn of the libuv loop, and what can be built on it.
local uv = require "luv"
local create, running = coroutine.create, coroutine.running
local resume, yield = coroutine.resume, coroutine.yield
local M = {}
local ready, spare, n = {}, {}, 0
local idle = uv.new_idle()

local function drain()
  local batch, count = ready, n
  ready, spare, n = spare, batch, 0
  for i = 1, count do
    local co = batch[i]
    batch[i] = nil
    local ok, err = resume(co)
    if not ok then error(debug.traceback(co, err)) end
  end
  if n == 0 then idle:stop() end
end

local function soon(co)
  if n == 0 then idle:start(drain) end
  n = n + 1
  ready[n] = co
end
M.soon = soon
function M.spawn(fn) local co = create(fn) soon(co) return co end
function M.yield() soon(running()) yield() end
function M.now() return uv.hrtime() / 1e9 end
function M.sleep(seconds)
  local co, timer = running(), uv.new_timer()
  timer:start(math.floor(seconds * 1000), 0, function()
    timer:close()
    local ok, err = resume(co)
    if not ok then error(err) end
  end)
  return yield()
end
-- run `count` tasks made by make(i) and wait for them all, from inside a task
function M.gather(count, make)
  local me, left = running(), count
  local function done() left = left - 1 if left == 0 then soon(me) end end
  for i = 1, count do
    local fn = make(i)
    M.spawn(function() fn() done() end)
  end
  yield()
end
function M.main(fn) M.spawn(fn) uv.run() end
return M
