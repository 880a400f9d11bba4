# x_run_shutdown_order: at the end of run leftover tasks go first, then open generators
import asyncio
from say import say


async def gen():
    try:
        yield 1
    finally:
        await asyncio.sleep(0)
        say("generator closed")

async def leftover(n):
    try:
        await asyncio.sleep(10)
    finally:
        await asyncio.sleep(0.001 * n)
        say("leftover", n, "cleaned")

keep = gen()

async def main():
    say(await keep.__anext__())
    for n in (1, 2):
        asyncio.create_task(leftover(n))
    await asyncio.sleep(0)
    say("main ends")
    return "result"

say(asyncio.run(main()))
