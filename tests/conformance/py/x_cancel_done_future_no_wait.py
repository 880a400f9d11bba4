# x_cancel_done_future_no_wait: a pending cancel waits for a real wait: a done future does not suspend
import asyncio
from say import say


async def child(f):
    asyncio.current_task().cancel()
    say("value", await f)
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        say("cancelled at the sleep")
        raise

async def main():
    f = asyncio.get_running_loop().create_future()
    f.set_result(1)
    t = asyncio.create_task(child(f))
    await asyncio.wait([t])
    say("cancelled", t.cancelled())


asyncio.run(main())
