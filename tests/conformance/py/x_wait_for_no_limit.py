# x_wait_for_no_limit: wait_for without a limit, on tasks, futures and plain work
import asyncio
from say import say


async def work(n):
    await asyncio.sleep(0)
    return n

async def bad():
    raise ValueError("bad")

async def main():
    loop = asyncio.get_running_loop()
    say(await asyncio.wait_for(work(1), None))
    say(await asyncio.wait_for(asyncio.create_task(work(2)), None))
    f = loop.create_future()
    loop.call_soon(f.set_result, 3)
    say(await asyncio.wait_for(f, None))
    try:
        await asyncio.wait_for(bad(), None)
    except ValueError as e:
        say(e)
    t = asyncio.create_task(work(4))
    await t
    say(await asyncio.wait_for(t, 0), await asyncio.wait_for(t, -1))
    f = loop.create_future()
    f.cancel()
    try:
        await asyncio.wait_for(f, 1)
    except asyncio.CancelledError:
        say("cancelled", asyncio.current_task().cancelling())

asyncio.run(main())
