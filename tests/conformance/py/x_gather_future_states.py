# x_gather_future_states: a gather is a future: callbacks, result, cancel after the end
import asyncio
from say import say


async def ok(n):
    await asyncio.sleep(0)
    return n

async def main():
    g = asyncio.gather(ok(1), ok(2))
    g.add_done_callback(lambda f: say("callback", f.result()))
    say("done", g.done())
    await asyncio.sleep(0.01)
    say("done", g.done(), g.result(), "cancel", g.cancel())
    say(await g)


asyncio.run(main())
