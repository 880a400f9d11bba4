# x_task_names: names, results and errors of tasks looked at from outside
import asyncio
from say import say


async def good():
    return asyncio.current_task().get_name()

async def bad():
    raise ValueError("boom")

async def main():
    a = asyncio.create_task(good(), name="first")
    b = asyncio.create_task(bad())
    b.set_name("second")
    try:
        a.result()
    except asyncio.InvalidStateError:
        say("error: not done")
    await asyncio.wait([a, b])
    say(a.get_name(), a.result(), a.exception())
    say(b.get_name(), b.exception())
    try:
        b.result()
    except ValueError as e:
        say("error:", e)
    say(asyncio.isfuture(a), asyncio.isfuture(3), asyncio.ensure_future(a) is a)


asyncio.run(main())
