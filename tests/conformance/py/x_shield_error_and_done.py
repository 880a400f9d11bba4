# x_shield_error_and_done: a shield passes errors and finished results through
import asyncio
from say import say


async def bad():
    raise ValueError("boom")

async def quick():
    return "value"

async def main():
    try:
        await asyncio.shield(bad())
    except ValueError as e:
        say("error:", e)
    t = asyncio.create_task(quick())
    await t
    say(await asyncio.shield(t))


asyncio.run(main())
