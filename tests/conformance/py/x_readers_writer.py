# x_readers_writer: many readers or one writer, built on a condition
import asyncio
from say import say


class RW:
    def __init__(self):
        self.cond = asyncio.Condition()
        self.readers = 0

    async def read(self, n):
        async with self.cond:
            self.readers += 1
        say("reader", n, "in, together", self.readers)
        await asyncio.sleep(0.01)
        async with self.cond:
            self.readers -= 1
            self.cond.notify_all()

    async def write(self, n):
        async with self.cond:
            await self.cond.wait_for(lambda: self.readers == 0)
            say("writer", n, "alone", self.readers)
            await asyncio.sleep(0.005)

async def main():
    rw = RW()
    await asyncio.gather(rw.read(1), rw.read(2), rw.write(1), rw.write(2))
    await rw.read(3)


asyncio.run(main())
