# x_wait_modes: what each mode of wait returns, and when
import asyncio
from say import say


async def end(n, turns, how="ok"):
    for _ in range(turns):
        await asyncio.sleep(0)
    say("end", n)
    if how == "bad":
        raise ValueError(n)
    return n

def names(s):
    return sorted(t.get_name() for t in s)

async def main():
    for mode in (asyncio.FIRST_COMPLETED, asyncio.FIRST_EXCEPTION, asyncio.ALL_COMPLETED):
        ts = [asyncio.create_task(end("a", 4), name="a"), asyncio.create_task(end("b", 1), name="b"),
              asyncio.create_task(end("c", 2, "bad"), name="c")]
        d, p = await asyncio.wait(ts, return_when=mode)
        say(mode, names(d), names(p))
        if p:
            d, p = await asyncio.wait(p)
        for t in ts:
            t.exception()

asyncio.run(main())
