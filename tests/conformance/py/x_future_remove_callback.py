# x_future_remove_callback: removal counts, a callback added twice runs twice, cancel runs callbacks
import asyncio
from say import say


async def main():
    f = asyncio.get_running_loop().create_future()
    def one(f):
        say("one", f.cancelled())
    def two(f):
        say("two", f.cancelled())
    for cb in (one, two, one, two, one):
        f.add_done_callback(cb)
    say("removed", f.remove_done_callback(one))
    say("removed", f.remove_done_callback(one))
    f.cancel()
    say("cancelled")
    await asyncio.sleep(0)
    say("end")


asyncio.run(main())
