# x_wait_then_cancel_rest: the first wins, the rest is cancelled and awaited
import asyncio
from say import say


async def racer(n, d):
    try:
        await asyncio.sleep(d)
        return n
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        say("loser", n)
        raise

async def main():
    ts = [asyncio.create_task(racer(n, d)) for n, d in (("a", 5), ("b", 0.01), ("c", 5))]
    done, pending = await asyncio.wait(ts, return_when=asyncio.FIRST_COMPLETED)
    for t in ts:
        if t in pending:
            t.cancel()
    await asyncio.wait(pending)
    say("winner", done.pop().result(), [t.cancelled() for t in ts])


asyncio.run(main())
