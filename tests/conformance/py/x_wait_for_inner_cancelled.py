# x_wait_for_inner_cancelled: a cancel of the work itself is not a timeout
import asyncio
from say import say


async def work():
    await asyncio.sleep(10)

async def main():
    t = asyncio.create_task(work())
    asyncio.get_running_loop().call_later(0.01, t.cancel)
    try:
        await asyncio.wait_for(t, 5)
    except asyncio.TimeoutError:
        say("not printed")
    except asyncio.CancelledError:
        say("cancelled; own requests", asyncio.current_task().cancelling())


asyncio.run(main())
