# x_group_late_tasks: children may add children; the group waits for all
import asyncio
from say import say


async def child(g, n):
    say("start", n)
    await asyncio.sleep(0.002)
    if n < 3:
        g.create_task(child(g, n + 1))
    say("end", n)
    return n

async def main():
    async with asyncio.TaskGroup() as g:
        t = g.create_task(child(g, 0))
        say("body ends")
    say("all done", t.result())


asyncio.run(main())
