# x_shield_of_shield: shield in shield, and a shield of a done, failed and cancelled task
import asyncio
from say import say


async def work(n):
    try:
        await asyncio.sleep(0.01)
        say("work done", n)
        return n
    except asyncio.CancelledError:
        say("work cancelled", n)
        raise

async def bad():
    raise ValueError("bad")

async def main():
    t = asyncio.create_task(work(1))
    s = asyncio.shield(t)
    s2 = asyncio.shield(s)
    await asyncio.sleep(0)
    s2.cancel()
    await asyncio.sleep(0)
    say(s2.cancelled(), s.cancelled(), t.cancelled())
    s.cancel()
    await asyncio.sleep(0)
    say(s.cancelled(), t.cancelled(), t.done())
    say(await t)
    say("same object", asyncio.shield(t) is t)
    b = asyncio.create_task(bad())
    await asyncio.wait([b])
    try:
        await asyncio.shield(b)
    except ValueError as e:
        say("error", e)
    c = asyncio.create_task(work(2))
    s = asyncio.shield(c)
    await asyncio.sleep(0)
    c.cancel()
    say(s.done())
    await asyncio.sleep(0)
    say(c.done(), s.done())
    await asyncio.sleep(0)
    say(c.done(), s.done(), s.cancelled())

asyncio.run(main())
