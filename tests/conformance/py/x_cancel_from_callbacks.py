# x_cancel_from_callbacks: a done callback cancels another task, a timer cancels a third
import asyncio
from say import say


async def sleeper(n):
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError as e:
        say(n, "cancelled", e.args[0])
        raise

async def quick():
    say("quick")

async def main():
    loop = asyncio.get_running_loop()
    a = asyncio.create_task(sleeper("a"))
    b = asyncio.create_task(sleeper("b"))
    q = asyncio.create_task(quick())
    q.add_done_callback(lambda t: say("cancel a", a.cancel("from callback")))
    loop.call_later(0.005, b.cancel, "from timer")
    r = await asyncio.gather(a, b, return_exceptions=True)
    say([type(x).__name__ for x in r])

asyncio.run(main())
