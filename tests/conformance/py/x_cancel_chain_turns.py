# x_cancel_chain_turns: turns from the cancel to the end of a chain of three
import asyncio
from say import say


log = []
async def inner():
    try:
        await asyncio.sleep(10)
    finally:
        say("inner out")

async def mid(t):
    try:
        await t
    finally:
        say("mid out")

async def ticker():
    for i in range(6):
        say("tick", i)
        await asyncio.sleep(0)

async def main():
    a = asyncio.create_task(inner())
    b = asyncio.create_task(mid(a))
    c = asyncio.create_task(mid(b))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tk = asyncio.create_task(ticker())
    c.cancel()
    c.add_done_callback(lambda t: say("c done", t.cancelled()))
    a.add_done_callback(lambda t: say("a done", t.cancelled()))
    await tk
    say(a.cancelled(), b.cancelled(), c.cancelled(), a.cancelling(), b.cancelling(), c.cancelling())

asyncio.run(main())
