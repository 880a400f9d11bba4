# x_cancel_uncancel: uncancel counts down and the task goes on
import asyncio
from say import say


async def child():
    me = asyncio.current_task()
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        say("requests", me.cancelling())
        say("left", me.uncancel())
        say("left", me.uncancel())
        say("left", me.uncancel())
    await asyncio.sleep(0.01)
    return "went on"

async def main():
    t = asyncio.create_task(child())
    await asyncio.sleep(0)
    t.cancel()
    t.cancel()
    say(await t, "requests", t.cancelling(), "cancelled", t.cancelled())


asyncio.run(main())
