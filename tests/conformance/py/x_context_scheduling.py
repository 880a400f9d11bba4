# x_context_scheduling: the context of callbacks, timers, done callbacks and of tasks made by callbacks
import asyncio
from say import say


import contextvars
v = contextvars.ContextVar("v", default="default")
async def task(n):
    say("task", n, v.get())
    v.set("inside " + n)
    await asyncio.sleep(0)
    say("task again", n, v.get())

async def main():
    loop = asyncio.get_running_loop()
    v.set("one")
    loop.call_soon(lambda: say("soon", v.get()))
    loop.call_later(0.02, lambda: say("later", v.get()))
    f = loop.create_future()
    f.add_done_callback(lambda f: say("done", v.get()))
    a = asyncio.create_task(task("a"))
    v.set("two")
    ctx = contextvars.copy_context()
    b = loop.create_task(task("b"), context=ctx)
    v.set("three")
    f.set_result(None)
    f.add_done_callback(lambda f: say("done late", v.get()))
    loop.call_soon(lambda: v.set("lost"))
    f2 = loop.create_future()
    f2.add_done_callback(lambda f: say("given", v.get()), context=ctx)
    await a
    await b
    f2.set_result(None)
    await asyncio.sleep(0.05)
    say(v.get(), ctx[v])
    tok = v.set("four")
    v.reset(tok)
    say(v.get())

asyncio.run(main())
say(v.get())
