# x_future_waiters: several tasks wait for one future; one of them cancelled cancels the future
import asyncio
from say import say


async def waiter(n, f):
    try:
        say(n, "got", await f)
    except asyncio.CancelledError:
        say(n, "cancelled")

async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    ts = [asyncio.create_task(waiter(n, f)) for n in "abc"]
    await asyncio.sleep(0)
    f.set_result("value")
    await asyncio.gather(*ts)
    f = loop.create_future()
    ts = [asyncio.create_task(waiter(n, f)) for n in "abc"]
    await asyncio.sleep(0)
    ts[1].cancel()
    await asyncio.gather(*ts)
    say("future cancelled", f.cancelled())


asyncio.run(main())
