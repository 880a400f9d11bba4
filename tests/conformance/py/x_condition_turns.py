# x_condition_turns: notify while holding: waiters go on in order, each after the lock is free
import asyncio
from say import say


async def w(c, n):
    async with c:
        say("waits", n)
        r = await c.wait()
        say("notified", n, r)
        await asyncio.sleep(0)
        say("leaves", n)

async def main():
    c = asyncio.Condition()
    ts = [asyncio.create_task(w(c, i)) for i in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    async with c:
        c.notify(2)
        say("notified two", c.locked())
        await asyncio.sleep(0)
        say("still holding")
    for i in range(8):
        say("turn", i)
        await asyncio.sleep(0)
    async with c:
        c.notify(5)
    await asyncio.gather(*ts)
    async with c:
        c.notify_all()
    say("end", c.locked())

asyncio.run(main())
