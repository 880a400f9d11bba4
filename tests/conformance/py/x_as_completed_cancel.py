# x_as_completed_cancel: cancelling who waits in as_completed leaves the tasks alone
import asyncio
from say import say


async def work(n, d):
    await asyncio.sleep(d)
    say("work", n)
    return n

async def consumer(ts):
    try:
        for f in asyncio.as_completed(ts):
            say("got", await f)
    except asyncio.CancelledError:
        say("consumer cancelled")
        raise

async def main():
    ts = [asyncio.create_task(work(1, 0.02)), asyncio.create_task(work(2, 0.001))]
    c = asyncio.create_task(consumer(ts))
    await asyncio.sleep(0.01)
    c.cancel()
    await asyncio.wait([c])
    say([t.done() for t in ts])
    await asyncio.wait(ts)
    say([t.cancelled() for t in ts])

asyncio.run(main())
