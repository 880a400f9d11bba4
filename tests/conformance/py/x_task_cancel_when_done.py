# x_task_cancel_when_done: a finished task cannot be cancelled any more
import asyncio
from say import say


async def quick():
    return "value"

async def main():
    t = asyncio.create_task(quick())
    await t
    say("cancel", t.cancel(), "cancelled", t.cancelled(), "requests", t.cancelling())
    say(t.result())


asyncio.run(main())
