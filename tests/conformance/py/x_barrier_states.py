# x_barrier_states: abort, reset with and without waiters, a broken barrier after reset, one party
import asyncio
from say import say


async def w(b, n):
    try:
        await b.wait()
        say("through", n)
    except asyncio.BrokenBarrierError:
        say("broken", n, b.broken)

async def main():
    b = asyncio.Barrier(1)
    say(await b.wait(), b.n_waiting)
    b = asyncio.Barrier(2)
    await b.reset()
    say(b.broken)
    t = asyncio.create_task(w(b, 1))
    await asyncio.sleep(0)
    say(b.n_waiting)
    await b.reset()
    await t
    say(b.broken, b.n_waiting)
    t = asyncio.create_task(w(b, 2))
    await asyncio.sleep(0)
    await b.abort()
    await t
    say(b.broken)
    await w(b, 3)
    await b.reset()
    say(b.broken)
    await asyncio.gather(w(b, 4), w(b, 5))
    try:
        asyncio.Barrier(0)
    except ValueError:
        say("no parties")
    async with asyncio.Barrier(1):
        say("in scope")

asyncio.run(main())
