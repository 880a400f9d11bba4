# x_timeout_swallowed: a body that swallows the cancel ends without an error
import asyncio
from say import say


async def main():
    async with asyncio.timeout(0.01) as tm:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            say("swallowed")
        await asyncio.sleep(0.01)
        say("body ends")
    say("expired", tm.expired(), "requests", asyncio.current_task().cancelling())


asyncio.run(main())
