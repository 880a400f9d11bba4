# N functions one after the other in a worker thread: there and back
import asyncio
from bench import arg, now, report, run

N = arg(1, 100000)

def double(x):
    return 2 * x

async def main():
    await asyncio.to_thread(double, 0)
    t, total = now(), 0
    for i in range(1, N + 1):
        total += await asyncio.to_thread(double, i)
    report(N, now() - t)
    assert total == N * (N + 1)

run(main())
