# x_timeout_in_time: a scope that ends in time leaves nothing behind
import asyncio
from say import say


async def main():
    async with asyncio.timeout(0.1) as tm:
        await asyncio.sleep(0.01)
        say("in time", tm.expired(), tm.when() is not None)
    await asyncio.sleep(0.12)
    say("expired", tm.expired(), "requests", asyncio.current_task().cancelling())


asyncio.run(main())
