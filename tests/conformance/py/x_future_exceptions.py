# x_future_exceptions: what set_exception takes; exception classes; raised to each waiter the same
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    f.set_exception(TimeoutError())
    try:
        await f
    except TimeoutError as e:
        say("timeout", str(e) == "")
    f = loop.create_future()
    async def w(n):
        try:
            await f
        except ValueError as e:
            say(n, e)
    ts = [asyncio.create_task(w(i)) for i in range(2)]
    await asyncio.sleep(0)
    f.set_exception(ValueError("shared"))
    await asyncio.gather(*ts)
    f = loop.create_future()
    f.set_exception(asyncio.CancelledError("odd"))
    say(f.cancelled(), f.done())
    try:
        await f
    except asyncio.CancelledError:
        say("raised cancelled")

asyncio.run(main())
