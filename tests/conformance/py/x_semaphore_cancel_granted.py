# x_semaphore_cancel_granted: two slots, the first chosen waiter is cancelled, the others get in
import asyncio
from say import say


async def main():
    sem = asyncio.Semaphore(2)
    await sem.acquire()
    await sem.acquire()
    async def waiter(n):
        try:
            async with sem:
                say("in", n)
                await asyncio.sleep(0.005)
        except asyncio.CancelledError:
            say("cancelled", n)
    ts = [asyncio.create_task(waiter(n)) for n in "abcd"]
    await asyncio.sleep(0)
    sem.release()
    sem.release()
    ts[0].cancel()
    await asyncio.gather(*ts)
    say("locked", sem.locked())


asyncio.run(main())
