# x_closed_loop: a closed loop refuses work and may be closed twice
import asyncio
from say import say


loop = asyncio.new_event_loop()
loop.close()
loop.close()

def attempt(what, fn, *args):
    try:
        fn(*args)
        say(what, "allowed")
    except RuntimeError:
        say(what, "error: closed")

attempt("call_soon", loop.call_soon, say, "x")
attempt("call_later", loop.call_later, 0, say, "x")
attempt("run_forever", loop.run_forever)
