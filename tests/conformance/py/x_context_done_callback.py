# x_context_done_callback: a done callback runs in the context given with it, or in the current one
import asyncio
import contextvars
from say import say


var = contextvars.ContextVar("var", default="none")

async def main():
    var.set("one")
    ctx = contextvars.copy_context()
    var.set("two")
    f = asyncio.get_running_loop().create_future()
    f.add_done_callback(lambda f: say("given", var.get()), context=ctx)
    f.add_done_callback(lambda f: say("current", var.get()))
    var.set("three")
    f.set_result(None)
    await asyncio.sleep(0)
    async def child():
        say("child", var.get())
        var.set("child's")
        asyncio.get_running_loop().call_soon(lambda: say("child's callback", var.get()))
    await asyncio.create_task(child())
    await asyncio.sleep(0)
    say("main", var.get())


asyncio.run(main())
