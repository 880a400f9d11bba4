# x_queue_waiting_putters: putters that wait at a full priority queue come in order, items by priority
import asyncio
from say import say


async def put(q, x):
    await q.put(x)
    say("put", x)

async def main():
    q = asyncio.PriorityQueue(1)
    ts = [asyncio.create_task(put(q, x)) for x in (5, 1, 3)]
    await asyncio.sleep(0)
    for i in range(3):
        say("get", await q.get(), q.qsize())
        await asyncio.sleep(0)
    await asyncio.gather(*ts)
    l = asyncio.LifoQueue(2)
    ts = [asyncio.create_task(put(l, x)) for x in (1, 2, 3, 4)]
    await asyncio.sleep(0)
    for i in range(4):
        say("get", await l.get())
        await asyncio.sleep(0)

asyncio.run(main())
