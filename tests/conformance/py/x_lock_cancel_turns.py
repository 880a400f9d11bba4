# x_lock_cancel_turns: the woken waiter of a lock is cancelled: the next one gets it in which turn
import asyncio
from say import say


async def w(lock, n):
    try:
        async with lock:
            say("in", n)
            await asyncio.sleep(0)
            say("out", n)
    except asyncio.CancelledError:
        say("cancelled", n)
        raise

async def main():
    lock = asyncio.Lock()
    await lock.acquire()
    ts = [asyncio.create_task(w(lock, i)) for i in range(3)]
    await asyncio.sleep(0)
    lock.release()
    say("locked", lock.locked())
    ts[0].cancel()
    for i in range(7):
        say("turn", i, lock.locked())
        await asyncio.sleep(0)
    say([t.cancelled() for t in ts])

asyncio.run(main())
