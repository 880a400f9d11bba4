# x_gather_cancel_turns: how many turns a cancelled gather takes with children that end at once
import asyncio
from say import say


async def child(n):
    try:
        await asyncio.sleep(10)
    finally:
        say("out", n)

async def parent():
    try:
        await asyncio.gather(child(1), child(2))
    except asyncio.CancelledError as e:
        say("parent", e.args)
        raise

async def main():
    t = asyncio.create_task(parent())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    t.cancel("bye")
    for i in range(5):
        say("turn", i, t.done())
        await asyncio.sleep(0)
    say(t.done())

asyncio.run(main())
