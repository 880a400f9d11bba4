# x_agen_turns: two consumers of generators take turns; the generator runs in its consumer's task
import asyncio
from say import say


async def gen(n):
    for i in range(3):
        await asyncio.sleep(0)
        yield (n, i, asyncio.current_task().get_name())

async def consume(n):
    async for x in gen(n):
        say(*x)
    say("end", n)

async def main():
    a = asyncio.create_task(consume("a"), name="A")
    b = asyncio.create_task(consume("b"), name="B")
    await asyncio.gather(a, b)

asyncio.run(main())
