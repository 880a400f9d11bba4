# x_agen_pipeline: generators over generators, filled by a task
import asyncio
from say import say


async def main():
    q = asyncio.Queue()
    async def items():
        while (n := await q.get()) is not None:
            yield n
    async def pairs(source):
        last = None
        async for n in source:
            if last is not None:
                yield [last, n]
            last = n
    async def feed():
        for n in range(4):
            q.put_nowait(n)
            await asyncio.sleep(0.001)
        q.put_nowait(None)
    t = asyncio.create_task(feed())
    async for p in pairs(items()):
        say(p)
    await t
    say("end")


asyncio.run(main())
