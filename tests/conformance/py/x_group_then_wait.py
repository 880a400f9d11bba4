# x_group_then_wait: after a failed group the task waits as usual
import asyncio
from say import say


async def bad():
    raise ValueError("boom")

async def main():
    for n in (1, 2):
        try:
            async with asyncio.TaskGroup() as g:
                g.create_task(bad())
                await asyncio.sleep(10)
        except BaseExceptionGroup:
            say("failed", n, "requests", asyncio.current_task().cancelling())
        await asyncio.sleep(0.01)
    say("end")


asyncio.run(main())
