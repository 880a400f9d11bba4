# x_task_starts_next_turn: a new task starts on the next turn, in order of creation
import asyncio
from say import say


async def child(n):
    say("child", n)

async def main():
    for i in (1, 2, 3):
        asyncio.create_task(child(i))
    say("created")
    await asyncio.sleep(0)
    say("main again")


asyncio.run(main())
