# x_timeout_cleanup_waits: the scope ends after the cleanup that waits
import asyncio
from say import say


async def main():
    try:
        async with asyncio.timeout(0.01):
            try:
                await asyncio.sleep(10)
            finally:
                await asyncio.sleep(0.01)
                say("cleaned up")
    except TimeoutError:
        say("timeout")


asyncio.run(main())
