# x_cancel_raised_by_hand: a task that raises the cancel error itself counts as cancelled
import asyncio
from say import say


async def child():
    raise asyncio.CancelledError("by hand")

async def main():
    t = asyncio.create_task(child())
    try:
        await t
    except asyncio.CancelledError as e:
        say("message:", e.args[0])
    say("cancelled", t.cancelled(), "requests", t.cancelling())


asyncio.run(main())
