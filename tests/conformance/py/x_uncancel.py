# x_uncancel: cancel requests are counted, uncancel takes one back
import asyncio
from say import say


async def child():
    t = asyncio.current_task()
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        say("cancelling", t.cancelling())
        say("uncancel", t.uncancel())
        say("uncancel at zero", t.uncancel())
    await asyncio.sleep(0)
    say("goes on")
    return "done"

async def main():
    t = asyncio.create_task(child())
    await asyncio.sleep(0)
    say("cancel", t.cancel(), "cancelling", t.cancelling())
    say(await t, t.cancelled(), t.cancelling())
    say("cancel finished", t.cancel())


asyncio.run(main())
