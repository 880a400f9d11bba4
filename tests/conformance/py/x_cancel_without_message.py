# x_cancel_without_message: a cancel without a message, and two with different ones
import asyncio
from say import say


async def child():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError as e:
        say("message:", e.args[0] if e.args else None)
        raise

async def main():
    for messages in ((), ("first", "second")):
        t = asyncio.create_task(child())
        await asyncio.sleep(0)
        if not messages:
            t.cancel()
        for m in messages:
            t.cancel(m)
        await asyncio.wait([t])
        say("cancelled", t.cancelled(), "requests", t.cancelling())


asyncio.run(main())
