# x_future_states: what a future allows in each of its states
import asyncio
from say import say


def attempt(what, fn, *args):
    try:
        say(what, fn(*args))
    except asyncio.InvalidStateError:
        say(what, "error: invalid state")
    except asyncio.CancelledError:
        say(what, "error: cancelled")
    except ValueError as e:
        say(what, "error:", e)

async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    attempt("pending result", f.result)
    attempt("pending exception", f.exception)
    f.set_result(1)
    attempt("done result", f.result)
    attempt("done exception", f.exception)
    attempt("set again", f.set_result, 2)
    attempt("fail again", f.set_exception, ValueError("x"))
    attempt("cancel done", f.cancel)
    f = loop.create_future()
    f.set_exception(ValueError("boom"))
    attempt("failed result", f.result)
    attempt("failed exception", f.exception)
    f = loop.create_future()
    attempt("cancel pending", f.cancel)
    attempt("cancel again", f.cancel)
    attempt("cancelled result", f.result)
    attempt("cancelled exception", f.exception)
    attempt("set cancelled", f.set_result, 3)
    say(f.done(), f.cancelled())


asyncio.run(main())
