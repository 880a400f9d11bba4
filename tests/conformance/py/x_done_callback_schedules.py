# x_done_callback_schedules: what a done callback schedules runs a turn later
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    f.add_done_callback(lambda f: (say("cb"), loop.call_soon(say, "soon from cb")))
    f.add_done_callback(lambda f: (say("cb2"), f.add_done_callback(lambda f: say("late cb"))))
    loop.call_soon(f.set_result, 1)
    for i in range(4):
        say("turn", i)
        await asyncio.sleep(0)

asyncio.run(main())
