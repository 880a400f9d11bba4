# x_wait_first_exception_none: without an error the first-error mode waits for all
import asyncio
from say import say


async def work(n, d):
    await asyncio.sleep(d)
    return n

async def main():
    ts = [asyncio.create_task(work(n, n * 0.01)) for n in (3, 1, 2)]
    ts[1].cancel()
    done, pending = await asyncio.wait(ts, return_when=asyncio.FIRST_EXCEPTION)
    say("done", len(done), "pending", len(pending), [t.cancelled() for t in ts])


asyncio.run(main())
