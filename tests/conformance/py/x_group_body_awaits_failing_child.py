# x_group_body_awaits_failing_child: a body that awaits a failing child is cancelled, the error comes once
import asyncio
from say import say


async def bad():
    await asyncio.sleep(0.01)
    raise ValueError("boom")

async def main():
    try:
        async with asyncio.TaskGroup() as g:
            t = g.create_task(bad())
            try:
                await t
            except ValueError:
                say("not printed")
            except asyncio.CancelledError:
                say("body cancelled")
                raise
    except BaseExceptionGroup as e:
        say("group errors:", [str(x) for x in e.exceptions])


asyncio.run(main())
