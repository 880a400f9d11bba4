# x_queue_nowait_overtakes: an item or a place is taken by who comes first, the woken one waits again
import asyncio
from say import say


async def main():
    q = asyncio.Queue(1)
    async def consumer():
        say("consumer got", await q.get())
    c = asyncio.create_task(consumer())
    await asyncio.sleep(0)
    q.put_nowait("one")
    say("main got", q.get_nowait())
    await asyncio.sleep(0)
    say("consumer done", c.done())
    q.put_nowait("two")
    await c
    q.put_nowait("full")
    async def producer():
        await q.put("blocked")
        say("producer done")
    p = asyncio.create_task(producer())
    await asyncio.sleep(0)
    say(q.get_nowait())
    q.put_nowait("overtakes")
    await asyncio.sleep(0)
    say("producer done", p.done(), "full", q.full())
    say(await q.get())
    await p
    say(await q.get())


asyncio.run(main())
