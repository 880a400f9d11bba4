# x_graceful_shutdown: stop accepting, let what runs finish for a while, cancel the rest
import asyncio
from say import say


async def job(n, d):
    try:
        await asyncio.sleep(d)
        say("job", n, "finished")
    except asyncio.CancelledError:
        say("job", n, "cut off")
        raise

async def main():
    jobs = [asyncio.create_task(job(n, d)) for n, d in ((1, 0.01), (2, 10), (3, 0.02), (4, 10))]
    done, pending = await asyncio.wait(jobs, timeout=0.08)
    say("done", len(done), "pending", len(pending))
    for t in jobs:
        if t in pending:
            t.cancel()
    res = await asyncio.gather(*jobs, return_exceptions=True)
    say([isinstance(r, asyncio.CancelledError) for r in res])


asyncio.run(main())
