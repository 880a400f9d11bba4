# x_wait_timeout: wait gives up after a while and cancels nothing
import asyncio
from say import say


async def child(n, d):
    await asyncio.sleep(d)
    return n

async def main():
    ts = [asyncio.create_task(child(n, d)) for n, d in (("fast", 0.005), ("slow", 0.2))]
    done, pending = await asyncio.wait(ts, timeout=0.08)
    say([t.result() for t in done], len(pending), ts[1].done())
    done, pending = await asyncio.wait(ts, timeout=0)
    say(len(done), len(pending))
    done, pending = await asyncio.wait(ts)
    say(sorted(t.result() for t in done), len(pending))
    try:
        await asyncio.wait([])
    except ValueError:
        say("error: nothing to wait for")


asyncio.run(main())
