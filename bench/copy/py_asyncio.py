# A value of some KIB KiB goes to a worker process, N times, pickled; an operation is a KiB. (To a
# thread nothing is copied.) KIND 0: a list of records, 1: a list of numbers, 2: one string
import asyncio
from concurrent.futures import ProcessPoolExecutor
from bench import arg, now, report, run

N, KIB, KIND = arg(1, 200), arg(2, 1024), arg(3, 0)

def value():
    if KIND == 2:
        return "x" * (KIB * 1024)
    if KIND == 1:
        return [i + 0.5 for i in range(KIB * 128)]
    return [{"id": i, "x": i / 2, "name": f"record {i}", "ok": True} for i in range(KIB * 16)]

async def main():
    loop = asyncio.get_running_loop()
    sent = value()
    with ProcessPoolExecutor(1) as pool:
        await loop.run_in_executor(pool, len, "")
        t = now()
        for _ in range(N):
            assert await loop.run_in_executor(pool, len, sent) == len(sent)
        report(N * KIB, now() - t)

if __name__ == "__main__":
    run(main())
