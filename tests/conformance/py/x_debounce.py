# x_debounce: a timer that is set again at each event fires once
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    fired = asyncio.Event()
    timer = None
    def fire(n):
        say("fired for", n)
        fired.set()
    for n in range(4):
        if timer:
            timer.cancel()
        timer = loop.call_later(0.15, fire, n)
        await asyncio.sleep(0.002)
    await fired.wait()
    say("old handle cancelled", timer.cancelled())


asyncio.run(main())
