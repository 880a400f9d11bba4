# x_queue_cancel_chosen_getter: a getter cancelled in the turn of the put: the item goes to the next getter
import asyncio
from say import say


async def getter(q, n):
    try:
        say("got", n, await q.get())
    except asyncio.CancelledError:
        say("cancelled", n, q.qsize())
        raise

async def main():
    q = asyncio.Queue()
    a = asyncio.create_task(getter(q, "a"))
    b = asyncio.create_task(getter(q, "b"))
    await asyncio.sleep(0)
    q.put_nowait(1)
    a.cancel()
    for i in range(4):
        say("turn", i, q.qsize())
        await asyncio.sleep(0)
    a = asyncio.create_task(getter(q, "c"))
    await asyncio.sleep(0)
    q.put_nowait(2)
    a.cancel()
    await asyncio.wait([a])
    say(q.get_nowait())

asyncio.run(main())
