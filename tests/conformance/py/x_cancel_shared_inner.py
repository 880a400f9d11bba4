# x_cancel_shared_inner: cancelling one waiter of a task cancels that task for the others too
import asyncio
from say import say


async def work():
    await asyncio.sleep(10)

async def waiter(n, t):
    try:
        await t
    except asyncio.CancelledError:
        say("waiter", n, "own requests", asyncio.current_task().cancelling())

async def main():
    t = asyncio.create_task(work())
    ws = [asyncio.create_task(waiter(n, t)) for n in (1, 2)]
    await asyncio.sleep(0.01)
    ws[0].cancel()
    await asyncio.gather(*ws)
    say("work cancelled", t.cancelled())


asyncio.run(main())
