# x_timeout_nested_outer: the outer timeout passes through the inner scope
import asyncio
from say import say


async def main():
    try:
        async with asyncio.timeout(0.01) as outer:
            try:
                async with asyncio.timeout(10) as inner:
                    await asyncio.sleep(5)
            except asyncio.CancelledError:
                say("inner sees a cancel, expired", inner.expired())
                raise
            say("never")
    except TimeoutError:
        say("outer timeout, expired", outer.expired())
    say("cancelling", asyncio.current_task().cancelling())
    await asyncio.sleep(0)
    say("goes on")


asyncio.run(main())
