# x_lock_misuse: releasing a free lock is an error, and the lock still works
import asyncio
from say import say


async def main():
    lock = asyncio.Lock()
    try:
        lock.release()
    except RuntimeError:
        say("error: not locked")
    say("acquired", (await lock.acquire()) is not None, lock.locked())
    lock.release()
    try:
        lock.release()
    except RuntimeError:
        say("error: released twice")
    async with lock:
        say("works", lock.locked())
    say("locked", lock.locked())


asyncio.run(main())
