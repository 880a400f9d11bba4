# x_wait_for_cancelled_in_cleanup: a cancel that arrives while wait_for waits for the cleanup is not lost
import asyncio
from say import say


async def work():
    try:
        await asyncio.sleep(10)
    finally:
        await asyncio.sleep(0.05)
        say("work unwound")

async def waiter(t):
    try:
        await asyncio.wait_for(t, 0)
    except asyncio.TimeoutError:
        say("not printed")

async def main():
    t = asyncio.create_task(work())
    await asyncio.sleep(0)
    w = asyncio.create_task(waiter(t))
    await asyncio.sleep(0.01)
    w.cancel()
    await asyncio.wait([w])
    say("waiter cancelled", w.cancelled(), "work requests", t.cancelling())
    await asyncio.wait([t])
    say("work cancelled", t.cancelled())


asyncio.run(main())
