# x_callback_error: an error in a callback goes to the handler, the loop goes on
import asyncio
from say import say


def bad(n):
    raise ValueError(n)

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda l, c: say("handler:", c["exception"], "handle" in c, l is loop))
    loop.call_soon(bad, "soon")
    loop.call_later(0.01, bad, "later")
    loop.call_soon(say, "next callback")
    await asyncio.sleep(0.02)
    say("end")


asyncio.run(main())
