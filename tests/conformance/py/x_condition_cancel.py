# x_condition_cancel: a cancelled wait takes the lock back before it raises
import asyncio
from say import say


async def main():
    cond = asyncio.Condition()
    async def waiter():
        async with cond:
            try:
                await cond.wait()
            except asyncio.CancelledError:
                say("cancelled, locked", cond.locked())
                raise
    t = asyncio.create_task(waiter())
    await asyncio.sleep(0)
    await cond.acquire()
    t.cancel()
    await asyncio.sleep(0.01)
    say("waiter done while main holds the lock", t.done())
    cond.release()
    await asyncio.wait([t])
    say("cancelled", t.cancelled(), "locked", cond.locked())


asyncio.run(main())
