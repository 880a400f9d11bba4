# x_semaphore_misuse: bad start values, releasing a bounded one too often, growing a plain one
import asyncio
from say import say


async def main():
    try:
        asyncio.Semaphore(-1)
    except ValueError:
        say("error: negative")
    b = asyncio.BoundedSemaphore(2)
    await b.acquire()
    b.release()
    try:
        b.release()
    except ValueError:
        say("error: released too often")
    s = asyncio.Semaphore(1)
    s.release()
    await s.acquire()
    say("locked", s.locked())
    await s.acquire()
    say("locked", s.locked())


asyncio.run(main())
