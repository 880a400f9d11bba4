# x_turns_of_waits: turns until the waiter goes on after what it waits for has ended
import asyncio
from say import say


async def quick():
    return 1

async def probe(name, make):
    n = 0
    stop = False
    async def count():
        nonlocal n
        while not stop:
            n += 1
            await asyncio.sleep(0)
    c = asyncio.create_task(count())
    await asyncio.sleep(0)
    n = 0
    await make()
    say(name, n)
    stop = True
    await c

async def taken(f):
    async def run():
        await asyncio.wait([asyncio.create_task(f())])
    await run()

async def group():
    async with asyncio.TaskGroup() as tg:
        tg.create_task(quick())

async def group_empty():
    async with asyncio.TaskGroup() as tg:
        pass

async def group_done():
    async with asyncio.TaskGroup() as tg:
        t = tg.create_task(quick())
        await t

async def gather_tasks():
    await asyncio.gather(quick(), quick())

async def wait_one():
    await asyncio.wait([asyncio.create_task(quick()), asyncio.create_task(quick())])

async def as_comp():
    for f in asyncio.as_completed([quick(), quick()]):
        await f

async def task():
    await asyncio.create_task(quick())

async def shielded():
    await asyncio.shield(quick())

async def timeout():
    async with asyncio.timeout(1):
        await asyncio.create_task(quick())

async def gather_nested():
    await asyncio.gather(asyncio.gather(quick(), quick()), quick())

async def main():
    for f in (task, gather_tasks, wait_one, as_comp, shielded, timeout, group, group_empty, group_done, gather_nested):
        await probe(f.__name__, f)

asyncio.run(main())
