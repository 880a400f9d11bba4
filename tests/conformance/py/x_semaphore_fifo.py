# x_semaphore_fifo: a semaphore of zero lets waiters in one by one, in order
import asyncio
from say import say


async def main():
    sem = asyncio.Semaphore(0)
    async def waiter(n):
        await sem.acquire()
        say("in", n)
    ts = [asyncio.create_task(waiter(n)) for n in range(4)]
    await asyncio.sleep(0)
    say("locked", sem.locked())
    sem.release()
    await asyncio.sleep(0.005)
    say("released two")
    sem.release()
    sem.release()
    await asyncio.sleep(0.005)
    sem.release()
    await asyncio.gather(*ts)
    say("locked", sem.locked())


asyncio.run(main())
