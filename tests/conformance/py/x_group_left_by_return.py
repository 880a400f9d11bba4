# x_group_left_by_return: a group left by return waits for its children first
import asyncio
from say import say


async def child(n):
    await asyncio.sleep(0.002)
    say("child", n)

async def work():
    async with asyncio.TaskGroup() as tg:
        tg.create_task(child(1))
        tg.create_task(child(2))
        say("returning")
        return "value"

async def main():
    say(await work())
    for i in range(2):
        async with asyncio.TaskGroup() as tg:
            tg.create_task(child(10 + i))
            if i == 0:
                continue
            say("not skipped", i)

asyncio.run(main())
