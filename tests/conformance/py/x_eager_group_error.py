# x_eager_group_error: an eager child that fails at once interrupts the body at its next wait
import asyncio
from say import say


async def bad():
    raise ValueError("boom")

async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    try:
        async with asyncio.TaskGroup() as g:
            t = g.create_task(bad())
            say("child done", t.done())
            await asyncio.sleep(10)
            say("not printed")
    except BaseExceptionGroup as e:
        say("group errors:", [str(x) for x in e.exceptions])


asyncio.run(main())
