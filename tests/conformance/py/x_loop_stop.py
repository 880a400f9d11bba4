# x_loop_stop: stop ends run_forever after the batch, what that batch schedules waits for the next run
import asyncio
from say import say


def main():
    loop = asyncio.new_event_loop()
    def first():
        say("first")
        loop.call_soon(say, "scheduled by first")
        loop.stop()
    loop.call_soon(first)
    loop.call_soon(say, "second")
    loop.run_forever()
    say("stopped", loop.is_running(), loop.is_closed())
    loop.stop()
    loop.call_soon(say, "with early stop")
    loop.run_forever()
    say("stopped again")
    loop.call_soon(loop.stop)
    loop.call_soon(loop.stop)
    loop.run_forever()
    say("stopped third")
    loop.close()
    say(loop.is_closed())
    loop.close()

main()
