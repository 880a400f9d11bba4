# x_context_copy_run: a copied context keeps its own values, run works in it
import asyncio
import contextvars
from say import say


var = contextvars.ContextVar("var", default="none")

def change(v):
    old = var.get()
    var.set(v)
    return old

async def main():
    var.set("main")
    ctx = contextvars.copy_context()
    var.set("later")
    say("in copy", ctx.run(change, "changed"))
    say("outside", var.get(), "copy", ctx.get(var))
    say("again", ctx.run(var.get))
    asyncio.get_running_loop().call_soon(lambda: say("callback", var.get()), context=ctx)
    await asyncio.sleep(0)
    await asyncio.create_task(child(), context=ctx)
    say("task set", ctx.get(var), "outside", var.get())

async def child():
    say("task in copy", var.get())
    var.set("by task")


asyncio.run(main())
