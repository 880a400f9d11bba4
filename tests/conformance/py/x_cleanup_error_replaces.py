# x_cleanup_error_replaces: an error raised in cleanup replaces the one that was unwinding
import asyncio
from say import say


async def work():
    try:
        raise ValueError("first")
    finally:
        await asyncio.sleep(0)
        raise RuntimeError("second")

async def main():
    try:
        await work()
    except RuntimeError as e:
        say("error:", e, "before it:", e.__context__)


asyncio.run(main())
