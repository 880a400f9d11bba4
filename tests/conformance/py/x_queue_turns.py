# x_queue_turns: turns between put and get with waiting getters and putters
import asyncio
from say import say


async def getter(q, n):
    for _ in range(2):
        say("got", n, await q.get())

async def putter(q, n):
    for i in range(2):
        await q.put("%s%d" % (n, i))
        say("put", n, i)

async def main():
    q = asyncio.Queue(1)
    gs = [asyncio.create_task(getter(q, n)) for n in "xy"]
    ps = [asyncio.create_task(putter(q, n)) for n in "ab"]
    for i in range(8):
        say("turn", i, q.qsize())
        await asyncio.sleep(0)
    say([t.done() for t in gs + ps])

asyncio.run(main())
