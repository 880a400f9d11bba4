# x_gather_same_job_twice: the same task given twice is one job with two places
import asyncio
from say import say


runs = []

async def work():
    runs.append(1)
    await asyncio.sleep(0)
    return "once"

async def main():
    t = asyncio.create_task(work())
    say(await asyncio.gather(t, t, work()), "runs", len(runs))


asyncio.run(main())
