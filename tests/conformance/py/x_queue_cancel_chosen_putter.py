# x_queue_cancel_chosen_putter: a putter cancelled when its place became free passes the place on
import asyncio
from say import say


async def putter(q, n):
    try:
        await q.put(n)
        say("put", n)
    except asyncio.CancelledError:
        say("cancelled", n)
        raise

async def main():
    q = asyncio.Queue(1)
    q.put_nowait(0)
    a, b = (asyncio.create_task(putter(q, n)) for n in "ab")
    await asyncio.sleep(0)
    say(q.get_nowait())
    a.cancel()
    for i in range(4):
        say("turn", i, q.qsize(), q.full())
        await asyncio.sleep(0)
    say(q.get_nowait(), q.empty())

asyncio.run(main())
