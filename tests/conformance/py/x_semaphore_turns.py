# x_semaphore_turns: releases in one turn let several in, in order; locked tells
import asyncio
from say import say


async def w(s, n):
    async with s:
        say("in", n, s.locked())
        await asyncio.sleep(0)
    say("out", n)

async def main():
    s = asyncio.Semaphore(2)
    say(s.locked())
    await s.acquire()
    await s.acquire()
    say(s.locked())
    ts = [asyncio.create_task(w(s, i)) for i in range(4)]
    await asyncio.sleep(0)
    s.release()
    s.release()
    s.release()
    for i in range(5):
        say("turn", i, s.locked())
        await asyncio.sleep(0)
    say(s.locked())
    await asyncio.gather(*ts)
    n = 0
    while not s.locked():
        await s.acquire()
        n += 1
    say("slots", n)

asyncio.run(main())
