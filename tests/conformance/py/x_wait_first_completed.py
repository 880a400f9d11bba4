# x_wait_first_completed: wait returns at the first end, of whatever kind
import asyncio
from say import say


async def child(n, d, ok=True):
    await asyncio.sleep(d)
    if not ok:
        raise ValueError(n)
    return n

async def main():
    ts = [asyncio.create_task(child(*a)) for a in (("slow", 0.2), ("bad", 0.005, False), ("good", 0.08))]
    pending = ts
    while pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for t in done:
            say(ts.index(t), t.exception(), "pending", len(pending))
    ts = [asyncio.create_task(child(n, 0)) for n in "xyz"]
    done, pending = await asyncio.wait(ts, return_when=asyncio.FIRST_COMPLETED)
    say("same turn", len(done), len(pending))


asyncio.run(main())
