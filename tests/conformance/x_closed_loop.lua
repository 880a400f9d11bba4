-- x_closed_loop: a closed loop refuses work and may be closed twice
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local loop = aio.new_event_loop()
loop:close()
loop:close()

local function attempt(what, ...)
  if aio.catch(aio.RuntimeError, loop[what], loop, ...) then
    say(what, "allowed")
  else
    say(what, "error: closed")
  end
end

attempt("call_soon", say, "x")
attempt("call_later", 0, say, "x")
attempt("run_forever")
