# x_lock_cancel_granted: a waiter cancelled after it was chosen passes the lock on
import asyncio
from say import say


async def main():
    lock = asyncio.Lock()
    async def waiter(n):
        try:
            await lock.acquire()
        except asyncio.CancelledError:
            say("cancelled", n)
            raise
        say("got", n)
        lock.release()
    await lock.acquire()
    ts = [asyncio.create_task(waiter(n)) for n in "abc"]
    await asyncio.sleep(0)
    lock.release()
    ts[0].cancel()
    await asyncio.wait(ts)
    say("locked", lock.locked(), [t.cancelled() for t in ts])


asyncio.run(main())
