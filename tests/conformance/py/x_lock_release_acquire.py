# x_lock_release_acquire: the holder that releases and acquires at once queues behind the waiters
import asyncio
from say import say


async def w(lock, n):
    for i in range(2):
        await lock.acquire()
        say("has", n, i)
        lock.release()

async def main():
    lock = asyncio.Lock()
    await lock.acquire()
    ts = [asyncio.create_task(w(lock, n)) for n in "ab"]
    await asyncio.sleep(0)
    lock.release()
    await lock.acquire()
    say("main has it")
    lock.release()
    await asyncio.gather(*ts)
    say(lock.locked())
    try:
        lock.release()
    except RuntimeError:
        say("not locked")

asyncio.run(main())
