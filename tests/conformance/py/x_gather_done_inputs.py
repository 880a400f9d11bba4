# x_gather_done_inputs: gather over finished tasks and futures keeps their order
import asyncio
from say import say


async def ok(n):
    return n

async def main():
    f = asyncio.get_running_loop().create_future()
    f.set_result("future")
    t = asyncio.create_task(ok("task"))
    await t
    say(await asyncio.gather(f, ok("new"), t))


asyncio.run(main())
