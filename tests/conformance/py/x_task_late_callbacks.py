# x_task_late_callbacks: callbacks added to a finished task run on the next turn, in order, behind what is ready
import asyncio
from say import say


async def quick():
    return 1

async def main():
    loop = asyncio.get_running_loop()
    t = asyncio.create_task(quick())
    t.add_done_callback(lambda t: say("early", t.result()))
    await t
    say("awaited")
    loop.call_soon(say, "soon 1")
    t.add_done_callback(lambda t: say("late 1"))
    loop.call_soon(say, "soon 2")
    t.add_done_callback(lambda t: say("late 2"))
    await t
    say("no turn")
    await asyncio.sleep(0)
    say("turn")

asyncio.run(main())
