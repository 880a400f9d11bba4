# x_wait_for_future: a timeout cancels the future that was waited for
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    f = loop.create_future()
    try:
        await asyncio.wait_for(f, 0.01)
    except asyncio.TimeoutError:
        say("timeout, future cancelled", f.cancelled())
    g = loop.create_future()
    loop.call_later(0.01, g.set_result, "set")
    say(await asyncio.wait_for(g, 5))


asyncio.run(main())
