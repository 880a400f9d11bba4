# x_cancel_self_ends: a task that cancels itself and ends, raises, or waits for a done future
import asyncio
from say import say


async def ends():
    asyncio.current_task().cancel()
    return 1

async def raises():
    asyncio.current_task().cancel()
    raise ValueError("boom")

async def waits_done():
    f = asyncio.get_running_loop().create_future()
    f.set_result(5)
    asyncio.current_task().cancel()
    say("value", await f)
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        say("at the real wait")
    return "lives"

async def main():
    for f in (ends, raises, waits_done):
        t = asyncio.create_task(f())
        await asyncio.wait([t])
        say(f.__name__, t.cancelled(), t.cancelling(), None if t.cancelled() else str(t.exception()) if t.exception() else t.result())

asyncio.run(main())
