# x_wait_for_negative: a negative timeout returns finished work only
import asyncio
from say import say


async def quick():
    return "done"

async def main():
    t = asyncio.create_task(quick())
    await t
    say(await asyncio.wait_for(t, -1))
    f = asyncio.get_running_loop().create_future()
    try:
        await asyncio.wait_for(f, -1)
    except asyncio.TimeoutError:
        say("timeout, cancelled", f.cancelled())


asyncio.run(main())
