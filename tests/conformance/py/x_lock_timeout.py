# x_lock_timeout: giving up on a lock leaves it usable
import asyncio
from say import say


async def main():
    lock = asyncio.Lock()
    await lock.acquire()
    try:
        await asyncio.wait_for(lock.acquire(), 0.01)
    except asyncio.TimeoutError:
        say("timeout, locked", lock.locked())
    lock.release()
    say("locked", lock.locked())
    await asyncio.wait_for(lock.acquire(), 0.01)
    say("locked", lock.locked())


asyncio.run(main())
