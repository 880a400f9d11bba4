# x_eager_gather_group: gather and a group under the eager factory: what has run when they begin to wait
import asyncio
from say import say


async def step(n, turns):
    say("start", n)
    for _ in range(turns):
        await asyncio.sleep(0)
    say("end", n)
    return n

async def main():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    say(await asyncio.gather(step(1, 0), step(2, 1), step(3, 0)))
    async with asyncio.TaskGroup() as tg:
        a = tg.create_task(step(4, 0))
        say("in body", a.done())
        b = tg.create_task(step(5, 1))
        say("in body", b.done())
    d, p = await asyncio.wait([asyncio.create_task(step(6, 0))])
    say(len(d), len(p))
    say(await asyncio.wait_for(step(7, 1), 1))

asyncio.run(main())
