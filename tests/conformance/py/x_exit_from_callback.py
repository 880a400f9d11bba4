# x_exit_from_callback: SystemExit raised in a callback leaves run, main is cancelled
import asyncio
from say import say


async def main():
    def leave():
        say("leaving")
        raise SystemExit(4)
    asyncio.get_running_loop().call_soon(leave)
    try:
        await asyncio.sleep(10)
    except asyncio.CancelledError:
        say("main cancelled")
        raise

try:
    asyncio.run(main())
except SystemExit as e:
    say("exit", e.code)
