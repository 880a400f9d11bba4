# x_publish_subscribe: each subscriber has a queue of its own; a slow one does not hold the rest
import asyncio
from say import say


async def main():
    subs = {}
    async def subscriber(name, delay):
        q = subs[name] = asyncio.Queue()
        got = []
        while (m := await q.get()) is not None:
            got.append(m)
            await asyncio.sleep(delay)
        say(name, got)
    ts = [asyncio.create_task(subscriber(n, d)) for n, d in (("slow", 0.02), ("fast", 0))]
    await asyncio.sleep(0)
    for m in ("a", "b", "c", None):
        for q in subs.values():
            q.put_nowait(m)
    await asyncio.gather(*ts)


asyncio.run(main())
