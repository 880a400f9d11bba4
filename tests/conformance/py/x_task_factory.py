# x_task_factory: a task factory makes the tasks of create_task, gather and groups
import asyncio
from say import say


made = []

async def child(n):
    return n

def factory(loop, coro, **kw):
    made.append(1)
    return asyncio.Task(coro, loop=loop, **kw)

async def main():
    loop = asyncio.get_running_loop()
    loop.set_task_factory(factory)
    say("set", loop.get_task_factory() is factory)
    say(await asyncio.create_task(child("one")), len(made))
    say(await asyncio.gather(child("two"), child("three")), len(made))
    async with asyncio.TaskGroup() as g:
        t = g.create_task(child("four"))
    say(t.result(), len(made))
    loop.set_task_factory(None)
    say(await asyncio.create_task(child("five")), len(made))


asyncio.run(main())
