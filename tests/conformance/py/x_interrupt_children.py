# x_interrupt_children: an interrupt goes through main down to what it waits for
import asyncio
import os
import signal
from say import say


async def child(n):
    try:
        await asyncio.sleep(10)
    finally:
        say("child", n, "cleaned")

async def main():
    asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGINT)
    try:
        async with asyncio.TaskGroup() as g:
            g.create_task(child(1))
            g.create_task(child(2))
    finally:
        say("main cleaned")

try:
    asyncio.run(main())
except KeyboardInterrupt:
    say("interrupted")
say("and on with", asyncio.run(asyncio.sleep(0, "another run")))
