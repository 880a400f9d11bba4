# x_timeout_group_error_first: an error in a group inside a scope is not a timeout
import asyncio
from say import say


async def bad():
    await asyncio.sleep(0.01)
    raise ValueError("boom")

async def main():
    try:
        async with asyncio.timeout(5) as tm:
            async with asyncio.TaskGroup() as g:
                g.create_task(bad())
                g.create_task(asyncio.sleep(10))
    except BaseExceptionGroup as e:
        say("group errors:", [str(x) for x in e.exceptions], "expired", tm.expired())


asyncio.run(main())
