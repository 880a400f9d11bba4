# x_cancel_and_result: a future completed and its waiter cancelled in one turn, both orders
import asyncio
from say import say


async def waiter(f):
    try:
        r = await f
        say("result", r)
        return r
    except asyncio.CancelledError:
        say("cancelled", f.cancelled())
        raise

async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    t = asyncio.create_task(waiter(f))
    await asyncio.sleep(0)
    f.set_result(1)
    t.cancel()
    await asyncio.wait([t])
    say(t.cancelled(), f.done(), f.cancelled())
    f = loop.create_future()
    t = asyncio.create_task(waiter(f))
    await asyncio.sleep(0)
    t.cancel()
    try:
        f.set_result(2)
    except asyncio.InvalidStateError:
        say("too late")
    await asyncio.wait([t])
    say(t.cancelled(), f.cancelled())

asyncio.run(main())
