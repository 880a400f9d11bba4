# x_group_ends_with_error: children that end in the turn of the error keep their results
import asyncio
from say import say


async def ok(n):
    await asyncio.sleep(0)
    return n

async def bad():
    await asyncio.sleep(0)
    raise ValueError("bad")

async def late():
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    say("late goes on")
    await asyncio.sleep(0)
    say("late never")

async def main():
    ts = []
    try:
        async with asyncio.TaskGroup() as tg:
            ts.append(tg.create_task(ok(1)))
            tg.create_task(bad())
            ts.append(tg.create_task(ok(2)))
            ts.append(tg.create_task(late()))
    except ExceptionGroup as eg:
        say(len(eg.exceptions))
    say([t.cancelled() for t in ts], ts[0].result(), ts[1].result())

asyncio.run(main())
