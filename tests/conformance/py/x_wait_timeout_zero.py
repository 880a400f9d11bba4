# x_wait_timeout_zero: wait with no time returns what is done after a turn, cancels nothing
import asyncio
from say import say


async def quick(n):
    return n

async def main():
    t = asyncio.create_task(quick(1))
    s = asyncio.create_task(asyncio.sleep(10))
    d, p = await asyncio.wait([t, s], timeout=0)
    say(len(d), len(p))
    d, p = await asyncio.wait([t, s], timeout=0.002, return_when=asyncio.ALL_COMPLETED)
    say(len(d), len(p), s.cancelled())
    d, p = await asyncio.wait([t, s], return_when=asyncio.FIRST_COMPLETED)
    say(t in d, s in p)
    s.cancel()
    d, p = await asyncio.wait([s])
    say(len(d), len(p), s.cancelled())
    try:
        await asyncio.wait([])
    except ValueError:
        say("error: empty")
    try:
        await asyncio.wait([t], return_when="SOMETIMES")
    except ValueError:
        say("error: mode")

asyncio.run(main())
