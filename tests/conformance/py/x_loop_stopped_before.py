# x_loop_stopped_before: a loop stopped before its future is done raises, the task can go on
import asyncio
from say import say


async def work():
    say("begin")
    await asyncio.sleep(0.002)
    say("end")
    return 5

def main():
    loop = asyncio.new_event_loop()
    t = loop.create_task(work())
    loop.call_soon(loop.stop)
    try:
        loop.run_until_complete(t)
    except RuntimeError:
        say("stopped before")
    say(t.done())
    say(loop.run_until_complete(t))
    loop.close()
    for f in (lambda: loop.call_soon(say), lambda: loop.run_forever(), lambda: loop.call_later(1, say)):
        try:
            f()
        except RuntimeError:
            say("closed")

main()
