# x_timeout_other_cancel: a body that raises a cancel error of its own in a scope that has not expired
import asyncio
from say import say


async def main():
    try:
        async with asyncio.timeout(10) as tm:
            raise asyncio.CancelledError("mine")
    except asyncio.CancelledError as e:
        say("cancelled", e.args, tm.expired())
    async def inner():
        async with asyncio.timeout(10) as tm:
            f = asyncio.get_running_loop().create_future()
            f.cancel("future's")
            await f
    t = asyncio.create_task(inner())
    try:
        await t
    except asyncio.CancelledError as e:
        say("cancelled", e.args, t.cancelled(), t.cancelling())

asyncio.run(main())
