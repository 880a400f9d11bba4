# x_timeout_error_inside: an error of the body passes through a scope that has not expired
import asyncio
from say import say


async def main():
    try:
        async with asyncio.timeout(5) as tm:
            await asyncio.sleep(0)
            raise ValueError("boom")
    except ValueError as e:
        say("error:", e, "expired", tm.expired())


asyncio.run(main())
