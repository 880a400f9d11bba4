# x_run_leftovers_listed: main fails, leftovers are cancelled and awaited before run raises
import asyncio
from say import say


async def left():
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        say("left cancelled", [t.get_name() for t in asyncio.all_tasks()])
        await asyncio.sleep(0.002)
        say("left cleaned")

async def main():
    asyncio.create_task(left(), name="left")
    asyncio.get_running_loop().call_later(10, say, "never")
    await asyncio.sleep(0)
    raise ValueError("main failed")

try:
    asyncio.run(main())
except ValueError as e:
    say("error", e)
try:
    asyncio.get_running_loop()
except RuntimeError:
    say("no loop")
