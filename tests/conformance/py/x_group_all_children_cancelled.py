# x_group_all_children_cancelled: a group all of whose children are cancelled from outside ends well
import asyncio
from say import say


async def child(n):
    try:
        await asyncio.sleep(10)
    finally:
        say("out", n)

async def main():
    async with asyncio.TaskGroup() as tg:
        ts = [tg.create_task(child(i)) for i in range(3)]
        await asyncio.sleep(0)
        for t in ts:
            t.cancel()
    say("group over", [t.cancelled() for t in ts])
    async with asyncio.TaskGroup() as tg:
        t = tg.create_task(child(9))
        t.cancel()
    say("never started", t.cancelled())

asyncio.run(main())
