# x_current_task: the current task in nested calls, callbacks, done callbacks and generators
import asyncio
from say import say


async def gen():
    say("gen", asyncio.current_task().get_name())
    yield 1
    say("gen", asyncio.current_task().get_name())

async def take(g):
    async for _ in g:
        pass

async def main():
    loop = asyncio.get_running_loop()
    asyncio.current_task().set_name("main")
    g = gen()
    await g.__anext__()
    t = asyncio.create_task(take(g), name="other")
    t.add_done_callback(lambda t: say("cb", asyncio.current_task()))
    await t
    await asyncio.sleep(0)
    say(asyncio.current_task().get_name(), asyncio.current_task(loop) is asyncio.current_task())

asyncio.run(main())
try:
    asyncio.current_task()
except RuntimeError:
    say("no loop")
try:
    asyncio.all_tasks()
except RuntimeError:
    say("no loop")
try:
    asyncio.create_task(None)
except RuntimeError:
    say("no loop")
