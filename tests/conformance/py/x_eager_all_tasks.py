# x_eager_all_tasks: an eager task is listed while it waits
import asyncio
from say import say


async def child(f):
    await f

async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    t = asyncio.Task(child(f), loop=loop, eager_start=True)
    say("alive", len(asyncio.all_tasks()))
    f.set_result(None)
    await t
    say("alive", len(asyncio.all_tasks()))


asyncio.run(main())
