# x_eager_context: an eager task runs in a copy of the context of its creator
import asyncio
from say import say


import contextvars

var = contextvars.ContextVar("var", default="none")

async def child():
    say("child sees", var.get())
    var.set("child")
    await asyncio.sleep(0)
    say("child keeps", var.get())

async def main():
    var.set("main")
    t = asyncio.Task(child(), loop=asyncio.get_running_loop(), eager_start=True)
    say("main has", var.get())
    await t


asyncio.run(main())
