# x_group_failure_turns: in which turn the siblings, the body and the group end after an error
import asyncio
from say import say


async def fail():
    await asyncio.sleep(0)
    say("fail")
    raise ValueError("x")

async def sib(n):
    try:
        await asyncio.sleep(10)
    finally:
        say("sib out", n)

async def work():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(sib(1))
            tg.create_task(fail())
            try:
                await asyncio.sleep(10)
            finally:
                say("body out")
    except ExceptionGroup:
        say("group out")

async def main():
    t = asyncio.create_task(work())
    for i in range(8):
        say("turn", i)
        await asyncio.sleep(0)
    await t

asyncio.run(main())
