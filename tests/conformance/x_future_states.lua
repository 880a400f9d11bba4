-- x_future_states: what a future allows in each of its states
local aio = require "aio"
local say = dofile((arg[0]:gsub("[^/\\]*$", "say.lua")))

local ValueError = aio.Error:extend("ValueError")
local expected = { aio.InvalidStateError, aio.CancelledError, ValueError }

local function attempt(what, f, method, ...)
  local ok, v = aio.catch(expected, f[method], f, ...)
  if ok then
    say(what, aio.is(v, aio.Error) and v.message or v)
  elseif aio.is(v, aio.InvalidStateError) then
    say(what, "error: invalid state")
  elseif aio.is(v, aio.CancelledError) then
    say(what, "error: cancelled")
  else
    say(what, "error:", v.message)
  end
end

aio.run(function()
  local loop = aio.get_running_loop()
  local f = loop:create_future()
  attempt("pending result", f, "result")
  attempt("pending exception", f, "exception")
  f:set_result(1)
  attempt("done result", f, "result")
  attempt("done exception", f, "exception")
  attempt("set again", f, "set_result", 2)
  attempt("fail again", f, "set_exception", ValueError("x"))
  attempt("cancel done", f, "cancel")
  f = loop:create_future()
  f:set_exception(ValueError("boom"))
  attempt("failed result", f, "result")
  attempt("failed exception", f, "exception")
  f = loop:create_future()
  attempt("cancel pending", f, "cancel")
  attempt("cancel again", f, "cancel")
  attempt("cancelled result", f, "result")
  attempt("cancelled exception", f, "exception")
  attempt("set cancelled", f, "set_result", 3)
  say(f:done(), f:cancelled())
end)
