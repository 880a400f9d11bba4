# x_done_callback_and_waiter: callbacks and waiters of a task go in the order in which they came
import asyncio
from say import say


async def work():
    await asyncio.sleep(0.01)

async def waiter(t):
    await t
    say("waiter")

async def main():
    t = asyncio.create_task(work())
    t.add_done_callback(lambda t: say("callback 1"))
    w = asyncio.create_task(waiter(t))
    await asyncio.sleep(0)
    t.add_done_callback(lambda t: say("callback 2"))
    await w


asyncio.run(main())
