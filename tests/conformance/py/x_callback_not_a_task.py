# x_callback_not_a_task: a callback runs outside any task, with a running loop
import asyncio
from say import say


async def main():
    loop = asyncio.get_running_loop()
    def cb():
        say("task", asyncio.current_task(), "loop", asyncio.get_running_loop() is loop)
        asyncio.create_task(child())
    async def child():
        say("child", asyncio.current_task() is not None)
    loop.call_soon(cb)
    await asyncio.sleep(0)
    say("main")
    await asyncio.sleep(0)


asyncio.run(main())
try:
    asyncio.get_running_loop()
except RuntimeError:
    say("error: no running loop")
