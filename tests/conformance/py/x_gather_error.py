# x_gather_error: the first error leaves gather at once, the siblings go on
import asyncio
from say import say


async def child(n, d, ok=True):
    await asyncio.sleep(d)
    if not ok:
        raise ValueError(n)
    say("finished", n)

async def main():
    try:
        await asyncio.gather(child("a", 0.06), child("b", 0.01, False), child("c", 0.09))
    except ValueError as e:
        say("error:", e)
    await asyncio.sleep(0.12)
    t = asyncio.create_task(child("twice", 0.001))
    say(len(await asyncio.gather(t, t)))
    say(len(await asyncio.gather()))


asyncio.run(main())
