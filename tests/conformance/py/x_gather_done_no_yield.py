# x_gather_done_no_yield: a gather over finished jobs does not yield to others
import asyncio
from say import say


async def quick(n):
    return n

async def other():
    say("other ran")

async def main():
    a = asyncio.create_task(quick(1))
    b = asyncio.create_task(quick(2))
    await asyncio.wait([a, b])
    asyncio.create_task(other())
    say(await asyncio.gather(a, b))
    say("main did not yield")
    await asyncio.sleep(0)


asyncio.run(main())
