# x_eager_nested: an eager task starts another before it waits itself
import asyncio
from say import say


async def child(n):
    say("enter", n)
    if n < 3:
        t = asyncio.create_task(child(n + 1))
        await t
    say("leave", n, asyncio.current_task().done())

async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    t = asyncio.create_task(child(1))
    say("done at once", t.done())
    await t


asyncio.run(main())
