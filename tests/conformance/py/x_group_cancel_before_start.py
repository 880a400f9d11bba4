# x_group_cancel_before_start: tasks of a group whose body fails at once never run
import asyncio
from say import say


async def child():
    say("not printed")

async def main():
    try:
        async with asyncio.TaskGroup() as g:
            t = g.create_task(child())
            raise ValueError("body")
    except BaseExceptionGroup as e:
        say("group errors:", [str(x) for x in e.exceptions], "cancelled", t.cancelled())


asyncio.run(main())
