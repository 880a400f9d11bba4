# x_barrier_cancel: a barrier whose waiter is cancelled as the last party comes, and while it fills
import asyncio
from say import say


async def w(b, n):
    try:
        i = await b.wait()
        say("through", n)
    except asyncio.CancelledError:
        say("cancelled", n, b.n_waiting, b.broken)
        raise
    except asyncio.BrokenBarrierError:
        say("broken", n)

async def main():
    b = asyncio.Barrier(3)
    ts = [asyncio.create_task(w(b, i)) for i in range(2)]
    await asyncio.sleep(0)
    ts[0].cancel()
    await asyncio.sleep(0)
    say(b.n_waiting)
    ts += [asyncio.create_task(w(b, i)) for i in (2, 3)]
    await asyncio.wait(ts)
    say([t.cancelled() for t in ts], b.n_waiting, b.broken)
    b = asyncio.Barrier(2)
    a = asyncio.create_task(w(b, "a"))
    await asyncio.sleep(0)
    c = asyncio.create_task(w(b, "c"))
    await asyncio.sleep(0)
    a.cancel()
    await asyncio.wait([a, c])
    say(a.cancelled(), c.cancelled(), b.n_waiting)

asyncio.run(main())
