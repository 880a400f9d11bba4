# x_queue_put_cancel: a cancelled producer puts nothing and passes its place on
import asyncio
from say import say


async def main():
    q = asyncio.Queue(1)
    q.put_nowait("first")
    async def producer(v):
        try:
            await q.put(v)
            say("put", v)
        except asyncio.CancelledError:
            say("cancelled", v)
    a = asyncio.create_task(producer("a"))
    b = asyncio.create_task(producer("b"))
    await asyncio.sleep(0)
    say(q.get_nowait())
    a.cancel()
    await asyncio.gather(a, b)
    say(await q.get(), "left", q.qsize())


asyncio.run(main())
