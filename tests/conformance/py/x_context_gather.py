# x_context_gather: children of gather and of a group change only their own copies
import asyncio
import contextvars
from say import say


var = contextvars.ContextVar("var", default=0)

async def child(n):
    var.set(var.get() + n)
    await asyncio.sleep(0)
    return var.get()

async def main():
    var.set(10)
    say(await asyncio.gather(child(1), child(2), child(3)), var.get())
    async with asyncio.TaskGroup() as g:
        t = g.create_task(child(5))
    say(t.result(), var.get())
    say("awaited directly", await child(7), var.get())


asyncio.run(main())
