# x_timeout_zero_with_wait: an expired deadline fires at the first wait
import asyncio
from say import say


async def main():
    try:
        async with asyncio.timeout(0) as tm:
            say("body")
            await asyncio.sleep(10)
            say("not printed")
    except TimeoutError:
        say("timeout", tm.expired())


asyncio.run(main())
