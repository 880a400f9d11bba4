# x_condition_timeout: a wait that times out holds the lock again
import asyncio
from say import say


async def main():
    cond = asyncio.Condition()
    async with cond:
        try:
            async with asyncio.timeout(0.01):
                await cond.wait()
        except TimeoutError:
            say("timeout, locked", cond.locked())
        try:
            async with asyncio.timeout(0.01):
                await cond.wait_for(lambda: False)
        except TimeoutError:
            say("timeout again, locked", cond.locked())
        say("true at once", await cond.wait_for(lambda: 42))
    say("locked", cond.locked())


asyncio.run(main())
