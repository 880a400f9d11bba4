# x_exit_stack: scopes in reverse order, what each sees, an error that replaces another, pop_all
import asyncio
import contextlib
from say import say


def name(e):
    return type(e).__name__ if e else None

class Scope:
    def __init__(self, n, fails=False):
        self.n = n
        self.fails = fails
    async def __aenter__(self):
        say("enter", self.n)
    async def __aexit__(self, cls, e, tb):
        say("exit", self.n, name(e))
        await asyncio.sleep(0)
        if self.fails:
            raise KeyError(self.n)

async def main():
    async with contextlib.AsyncExitStack() as stack:
        for i in range(1, 4):
            await stack.enter_async_context(Scope(i))
        stack.callback(say, "callback", 1)
        say("body")

    try:
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(Scope("a"))
            await stack.enter_async_context(Scope("b", True))
            await stack.enter_async_context(Scope("c"))
            raise ValueError("body")
    except Exception as e:
        say("raised", name(e), "context", name(e.__context__))

    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(Scope("kept"))
        later = stack.pop_all()
    say("popped")
    await later.aclose()

    async def job():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(Scope("x"))
            await stack.enter_async_context(Scope("y"))
            await asyncio.sleep(10)
    task = asyncio.create_task(job())
    await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])
    say("cancelled", task.cancelled())

asyncio.run(main())
