# x_eager_factory: a loop with the eager factory starts each task at once
import asyncio
from say import say


async def child(n):
    say("child", n, "starts in main", asyncio.current_task() is outer)
    await asyncio.sleep(0)
    return n

async def main():
    global outer
    outer = asyncio.current_task()
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    t = asyncio.create_task(child(1))
    say("created, current again main", asyncio.current_task() is outer)
    say(await t)
    async with asyncio.TaskGroup() as g:
        a = g.create_task(child(2))
        b = g.create_task(child(3))
        say("body ends")
    say(a.result(), b.result())


asyncio.run(main())
