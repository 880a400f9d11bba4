# x_exit_from_task: SystemExit raised in any task leaves run, cleanup of the others runs
import asyncio
from say import say


async def other():
    try:
        await asyncio.sleep(10)
    finally:
        say("other cleaned")

async def bad():
    await asyncio.sleep(0.01)
    raise SystemExit(3)

async def main():
    asyncio.create_task(other())
    t = asyncio.create_task(bad())
    try:
        await asyncio.sleep(10)
    finally:
        say("main cleaned")

try:
    asyncio.run(main())
except SystemExit as e:
    say("exit", e.code)
