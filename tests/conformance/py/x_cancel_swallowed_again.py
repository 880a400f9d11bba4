# x_cancel_swallowed_again: swallowing cancels without uncancel keeps the count, a later cancel still arrives
import asyncio
from say import say


async def stubborn():
    for i in range(3):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError as e:
            say("swallowed", i, e.args[0], asyncio.current_task().cancelling())
    return "end"

async def main():
    t = asyncio.create_task(stubborn())
    for i in range(3):
        await asyncio.sleep(0)
        say("cancel", t.cancel(str(i)))
        await asyncio.sleep(0)
    say(await t, t.cancelled(), t.cancelling())

asyncio.run(main())
