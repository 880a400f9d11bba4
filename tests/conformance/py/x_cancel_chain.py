# x_cancel_chain: a cancel goes down to the innermost task and comes back up
import asyncio
from say import say


async def level(n):
    try:
        if n == 3:
            await asyncio.sleep(10)
        else:
            await asyncio.create_task(level(n + 1))
    except asyncio.CancelledError as e:
        say("level", n, e.args)
        raise
    finally:
        say("cleanup", n)

async def main():
    t = asyncio.create_task(level(0))
    await asyncio.sleep(0.01)
    t.cancel("stop it")
    try:
        await t
    except asyncio.CancelledError as e:
        say("main sees", e.args)
    say("cancelled", t.cancelled())


asyncio.run(main())
