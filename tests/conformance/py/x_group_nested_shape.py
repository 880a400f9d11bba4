# x_group_nested_shape: errors of nested groups keep the shape of the nesting
import asyncio
from say import say


async def fail(e, n=0):
    for _ in range(n):
        await asyncio.sleep(0)
    raise e

def shape(e):
    if isinstance(e, BaseExceptionGroup):
        return [shape(x) for x in e.exceptions]
    return str(e)

async def inner(a, b):
    async with asyncio.TaskGroup() as tg:
        tg.create_task(fail(ValueError(a)))
        tg.create_task(fail(ValueError(b)))

async def main():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(inner("a", "b"))
            tg.create_task(inner("c", "d"))
            tg.create_task(fail(ValueError("e")))
    except ExceptionGroup as eg:
        say(shape(eg))
        m, r = eg.split(ValueError)
        say(shape(m), r)

asyncio.run(main())
