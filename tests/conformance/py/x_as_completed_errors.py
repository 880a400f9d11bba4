# x_as_completed_errors: an error shows up in its turn, the others follow
import asyncio
from say import say


async def child(n, d):
    await asyncio.sleep(d)
    if n == "bad":
        raise ValueError("boom")
    return n

async def main():
    ts = [child("c", 0.03), child("bad", 0.02), child("a", 0.01)]
    for f in asyncio.as_completed(ts):
        try:
            say(await f)
        except ValueError as e:
            say("error:", e)


asyncio.run(main())
