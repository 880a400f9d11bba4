# x_handler_context: the exception handler runs in the context of whom it is told about
import asyncio
import contextvars
import gc
from say import say


name = contextvars.ContextVar("name", default="none")

def fail(who):
    name.set(who)
    raise ValueError("failed")

async def failing(who):
    fail(who)

def handler(loop, ctx):
    say("handler", name.get(), ctx.get("exception"))
    if "task" in ctx and not ctx["task"].done():
        name.set("handler")

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(handler)
    name.set("main")
    loop.call_soon(fail, "callback")
    await asyncio.sleep(0)
    asyncio.create_task(failing("task"))
    await asyncio.sleep(0.001)
    gc.collect()
    await asyncio.sleep(0)
    f = loop.create_future()
    f.set_exception(ValueError("nobody looks"))
    del f
    gc.collect()
    await asyncio.sleep(0)
    async def other():
        name.set("other")
        await asyncio.sleep(0.001)
        say("other goes on as", name.get())
    t = asyncio.create_task(other())
    await asyncio.sleep(0)
    loop.call_exception_handler({"message": "by hand", "task": t})
    say("main", name.get())
    await t

asyncio.run(main())
