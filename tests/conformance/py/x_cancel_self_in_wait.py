# x_cancel_self_in_wait: a task that cancels itself gets the cancel at its next wait
import asyncio
from say import say


async def child():
    say("cancel", asyncio.current_task().cancel())
    say("still here")
    try:
        await asyncio.sleep(0)
        say("not printed")
    finally:
        say("unwound")

async def main():
    t = asyncio.create_task(child())
    await asyncio.wait([t])
    say("cancelled", t.cancelled())


asyncio.run(main())
