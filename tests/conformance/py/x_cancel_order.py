# x_cancel_order: tasks unwind in the order in which they were cancelled
import asyncio
from say import say


async def child(n):
    try:
        await asyncio.sleep(10)
    finally:
        say("unwound", n)

async def main():
    ts = [asyncio.create_task(child(n)) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    for t in reversed(ts):
        t.cancel()
    rs = await asyncio.gather(*ts, return_exceptions=True)
    say([isinstance(r, asyncio.CancelledError) for r in rs])


asyncio.run(main())
