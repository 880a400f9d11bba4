# x_group_exit_waits: the group closes only after the slowest child
import asyncio
from say import say


async def child(n):
    for _ in range(n):
        await asyncio.sleep(0)
    say("child", n)
    return n

async def main():
    async with asyncio.TaskGroup() as g:
        ts = [g.create_task(child(n)) for n in (4, 1, 3, 2)]
    say([t.result() for t in ts])


asyncio.run(main())
