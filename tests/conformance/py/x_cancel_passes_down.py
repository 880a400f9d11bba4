# x_cancel_passes_down: a cancel goes down the chain of awaited tasks and unwinds it from below
import asyncio
from say import say


async def leaf():
    try:
        await asyncio.sleep(10)
    finally:
        say("leaf unwound")

async def middle(t):
    try:
        await t
    finally:
        say("middle unwound")

async def main():
    a = asyncio.create_task(leaf())
    b = asyncio.create_task(middle(a))
    c = asyncio.create_task(middle(b))
    await asyncio.sleep(0.01)
    c.cancel()
    await asyncio.wait([c])
    say([t.cancelled() for t in (a, b, c)])
    say([t.cancelling() for t in (a, b, c)])


asyncio.run(main())
