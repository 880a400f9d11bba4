# x_all_tasks_when: who is listed before the start, while waiting, after the end and in a callback
import asyncio
from say import say


async def f():
    await asyncio.sleep(0)

def names():
    return sorted(t.get_name() for t in asyncio.all_tasks())

async def main():
    loop = asyncio.get_running_loop()
    a = asyncio.create_task(f(), name="a")
    say(names())
    loop.call_soon(lambda: say("callback", names(), asyncio.current_task()))
    a.add_done_callback(lambda t: say("done", names()))
    await asyncio.sleep(0)
    say(names())
    await a
    say(names())
    b = asyncio.create_task(f(), name="b")
    b.cancel()
    say(names())
    await asyncio.sleep(0)
    say(names())

asyncio.run(main())
