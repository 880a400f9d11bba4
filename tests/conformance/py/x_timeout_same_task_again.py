# x_timeout_same_task_again: after a timeout the task waits as usual, also in new scopes
import asyncio
from say import say


async def main():
    for n in (1, 2):
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)
        except TimeoutError:
            say("timeout", n)
    await asyncio.sleep(0.01)
    say("requests", asyncio.current_task().cancelling())


asyncio.run(main())
