# x_gather_cancelled_child_as_result: a cancelled child stands in its place among the returned errors
import asyncio
from say import say


async def ok(n):
    await asyncio.sleep(0.01)
    return n

async def main():
    ts = [asyncio.create_task(ok(n)) for n in (1, 2, 3)]
    await asyncio.sleep(0)
    ts[1].cancel()
    rs = await asyncio.gather(*ts, return_exceptions=True)
    say(["cancelled" if isinstance(r, asyncio.CancelledError) else r for r in rs])
    say("own requests", asyncio.current_task().cancelling())


asyncio.run(main())
