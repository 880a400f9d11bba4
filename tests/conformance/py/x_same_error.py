# x_same_error: the error object that was raised reaches every waiter, gather and result()
import asyncio
from say import say


async def bad(e):
    raise e

async def waiter(t, e):
    try:
        await t
    except ValueError as x:
        say("same", x is e)

async def main():
    e = ValueError("one")
    t = asyncio.create_task(bad(e))
    await asyncio.gather(waiter(t, e), waiter(t, e))
    say(t.exception() is e)
    try:
        t.result()
    except ValueError as x:
        say(x is e)
    try:
        await asyncio.gather(t, asyncio.sleep(0))
    except ValueError as x:
        say(x is e)
    r = await asyncio.gather(t, return_exceptions=True)
    say(r[0] is e)
    s = asyncio.shield(t)
    try:
        await s
    except ValueError as x:
        say(x is e)
    try:
        await asyncio.wait_for(t, 1)
    except ValueError as x:
        say(x is e)

asyncio.run(main())
