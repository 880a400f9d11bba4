# x_timeout_zero_turns: how many turns a scope of zero seconds lets its body go on
import asyncio
from say import say


async def work(s):
    n = 0
    try:
        async with asyncio.timeout(s):
            while True:
                n += 1
                await asyncio.sleep(0)
    except TimeoutError:
        say("turns", n)

async def work_wait():
    n = 0
    try:
        async with asyncio.timeout(0):
            await asyncio.create_task(asyncio.sleep(0))
            n = 1
            await asyncio.sleep(0)
            n = 2
    except TimeoutError:
        say("reached", n)

async def main():
    await work(0)
    await work(-1)
    await work_wait()
    async with asyncio.timeout(0) as tm:
        pass
    say("no wait", tm.expired())
    try:
        async with asyncio.timeout(0) as tm:
            raise ValueError("own")
    except ValueError as e:
        say(e, tm.expired())

asyncio.run(main())
