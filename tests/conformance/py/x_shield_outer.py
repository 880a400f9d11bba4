# x_shield_outer: cancelling the waiter of a shield leaves the inner task alone
import asyncio
from say import say


async def inner():
    await asyncio.sleep(0.02)
    say("inner finished")
    return 7

async def main():
    t = asyncio.create_task(inner())
    async def waiter():
        try:
            await asyncio.shield(t)
        except asyncio.CancelledError:
            say("waiter cancelled, inner done", t.done())
            raise
    w = asyncio.create_task(waiter())
    await asyncio.sleep(0.005)
    w.cancel()
    await asyncio.wait([w])
    say("cancelled", w.cancelled(), t.cancelled())
    say(await t)
    say("shield of a finished task", await asyncio.shield(t))


asyncio.run(main())
