# x_loops_side_by_side: two loops one after the other, a future of another loop is refused
import asyncio
from say import say


def main():
    a, b = asyncio.new_event_loop(), asyncio.new_event_loop()
    async def f():
        return asyncio.get_running_loop() is a, asyncio.get_running_loop() is b
    say(a.run_until_complete(f()), b.run_until_complete(f()))
    fut = a.create_future()
    async def waits():
        try:
            await fut
        except RuntimeError:
            say("other loop")
    b.run_until_complete(waits())
    async def nested():
        c = f()
        try:
            a.run_until_complete(c)
        except RuntimeError:
            say("cannot run here")
            c.close()
    b.run_until_complete(nested())
    a.close()
    say(a.is_closed(), b.is_closed())
    b.close()

main()
