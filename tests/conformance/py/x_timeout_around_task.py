# x_timeout_around_task: an expired scope cancels the task that is awaited in it, not one behind a shield
import asyncio
from say import say


async def work(n):
    try:
        await asyncio.sleep(0.05)
        return n
    except asyncio.CancelledError:
        say("work", n, "cancelled")
        raise

async def main():
    a = asyncio.create_task(work("a"))
    b = asyncio.create_task(work("b"))
    for make in (lambda: a, lambda: asyncio.shield(b)):
        try:
            async with asyncio.timeout(0.01):
                await make()
        except TimeoutError:
            say("timeout")
    say(a.cancelled(), b.cancelled(), await b)


asyncio.run(main())
