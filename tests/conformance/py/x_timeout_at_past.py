# x_timeout_at_past: a deadline in the past fires at the first wait
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(loop.time() - 1):
            say("body")
            await asyncio.sleep(10)
    except TimeoutError:
        say("timeout")
    async with asyncio.timeout_at(loop.time() + 10) as tm:
        await asyncio.sleep(0)
    say("expired", tm.expired())


asyncio.run(main())
