# x_as_completed_cancelled_item: a cancelled item raises cancelled, its consumer is not cancelled
import asyncio
from say import say


async def ok(n, d):
    await asyncio.sleep(d)
    return n

async def main():
    a = asyncio.create_task(ok("a", 5))
    b = asyncio.create_task(ok("b", 0.02))
    await asyncio.sleep(0)
    a.cancel()
    for f in asyncio.as_completed([a, b]):
        try:
            say(await f)
        except asyncio.CancelledError:
            say("cancelled; own requests", asyncio.current_task().cancelling())


asyncio.run(main())
