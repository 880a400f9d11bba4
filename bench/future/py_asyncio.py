# N cycles of: make a future, set its result, await it (MODE 0), or await it while a later callback
# sets it (MODE 1)
import asyncio
from bench import arg, now, report, run

N, MODE = arg(1, 1_000_000), arg(2, 0)

async def main():
    loop, total = asyncio.get_running_loop(), 0
    t = now()
    if MODE:
        for i in range(N):
            f = loop.create_future()
            loop.call_soon(f.set_result, i)
            total += await f
    else:
        for i in range(N):
            f = loop.create_future()
            f.set_result(i)
            total += await f
    report(N, now() - t)
    assert total == N * (N - 1) // 2

run(main())
