# x_cancel_swallowed_inside: an inner task that survives the cancel lets its waiter go on
import asyncio
from say import say


async def stubborn():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        say("inner swallows")
        return "value"

async def outer():
    v = await asyncio.create_task(stubborn())
    say("outer got", v)
    await asyncio.sleep(0)
    return "outer done"

async def main():
    t = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    t.cancel()
    say(await t, t.cancelled(), t.cancelling())


asyncio.run(main())
