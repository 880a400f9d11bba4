# x_handler_fails: the loop survives an exception handler that fails
import asyncio
import logging
from say import say


def handler(loop, ctx):
    say("handler called:", ctx["message"])
    raise RuntimeError("handler is broken")

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(handler)
    loop.call_exception_handler({"message": "one"})
    loop.call_soon(lambda: loop.call_exception_handler({"message": "two"}))
    await asyncio.sleep(0)
    say("still running")

logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
asyncio.run(main())
