# x_group_nested_error: an error in an inner group cancels the outer one's children too
import asyncio
from say import say


async def sleeper(n):
    try:
        await asyncio.sleep(10)
    finally:
        say("cancelled", n)

async def bad():
    await asyncio.sleep(0.01)
    raise ValueError("boom")

async def inner():
    async with asyncio.TaskGroup() as g:
        g.create_task(sleeper("inner"))
        g.create_task(bad())

async def main():
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(sleeper("outer"))
            g.create_task(inner())
    except BaseExceptionGroup as e:
        say("group of", len(e.exceptions), "with a group of", len(e.exceptions[0].exceptions))
        say(e.exceptions[0].exceptions[0])


asyncio.run(main())
