# x_cancel_result_on_its_way: a cancel that arrives when the result is on its way wins
import asyncio
from say import say


async def waiter(f):
    try:
        say("value", await f)
    except asyncio.CancelledError:
        say("cancelled, future has", f.result())
        raise

async def main():
    f = asyncio.get_running_loop().create_future()
    t = asyncio.create_task(waiter(f))
    await asyncio.sleep(0)
    f.set_result("value")
    say("cancel", t.cancel())
    await asyncio.wait([t])
    say("task", t.cancelled(), "future", f.cancelled())


asyncio.run(main())
