# x_handle_cancel: a cancelled handle does not run, also when its timer is already due
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    a = loop.call_soon(say, "never")
    b = loop.call_later(0.01, say, "never")
    loop.call_soon(say, "runs")
    a.cancel()
    b.cancel()
    b.cancel()
    say("cancelled", a.cancelled(), b.cancelled())
    handles = []
    loop.call_soon(lambda: handles[0].cancel())
    handles.append(loop.call_soon(say, "never"))
    c = loop.call_later(0.005, say, "timer runs")
    await asyncio.sleep(0.02)
    say("cancelled", c.cancelled())
    c.cancel()
    say("cancelled", c.cancelled())


asyncio.run(main())
