# x_task_and_callback_queue: tasks and callbacks share one queue, first in, first out
import asyncio
from say import say


async def child(n):
    say("child", n)

async def main():
    loop = asyncio.get_running_loop()
    loop.call_soon(say, "callback", 1)
    asyncio.create_task(child(1))
    loop.call_soon(say, "callback", 2)
    asyncio.create_task(child(2))
    await asyncio.sleep(0)
    say("main again")


asyncio.run(main())
