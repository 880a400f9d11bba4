# x_future_cancelled_by_other: a future cancelled by another ends its waiter, which asked for nothing
import asyncio
from say import say


async def waiter(f):
    try:
        await f
    except asyncio.CancelledError:
        say("saw cancelled; own requests", asyncio.current_task().cancelling())
        raise

async def main():
    f = asyncio.get_running_loop().create_future()
    t = asyncio.create_task(waiter(f))
    await asyncio.sleep(0)
    f.cancel("gone")
    await asyncio.wait([t])
    say("task cancelled", t.cancelled())


asyncio.run(main())
