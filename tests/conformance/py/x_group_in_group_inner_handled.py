# x_group_in_group_inner_handled: an error of an inner group that is caught leaves the outer group alive
import asyncio
from say import say


async def bad():
    raise ValueError("boom")

async def ok():
    await asyncio.sleep(0.02)
    say("ok finished")

async def main():
    async with asyncio.TaskGroup() as outer:
        outer.create_task(ok())
        try:
            async with asyncio.TaskGroup() as inner:
                inner.create_task(bad())
        except BaseExceptionGroup as e:
            say("handled", [str(x) for x in e.exceptions])
        say("outer body ends")
    say("outer ends")


asyncio.run(main())
