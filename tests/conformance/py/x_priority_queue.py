# x_priority_queue: the least item first; a waiting getter takes what comes
import asyncio
from say import say


async def main():
    q = asyncio.PriorityQueue()
    for n in (5, 1, 4, 2, 3):
        q.put_nowait(n)
    say([q.get_nowait() for _ in range(5)])
    for pri, name in ((2, "b"), (1, "a"), (3, "c")):
        await q.put((pri, name))
    say([(await q.get())[1] for _ in range(3)])
    t = asyncio.create_task(q.get())
    await asyncio.sleep(0)
    q.put_nowait(9)
    q.put_nowait(8)
    say(await t, q.get_nowait())


asyncio.run(main())
