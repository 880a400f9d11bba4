"""What every Python peer needs: a clock, peak memory, one line of JSON."""
import asyncio, json, os, sys, time

now, cpu = time.perf_counter, time.process_time
arg = lambda i, default: int(sys.argv[i]) if len(sys.argv) > i else default

def rss_kb(key="VmHWM"):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(key))

def report(ops, seconds, **more):
    result = {"ops": ops, "seconds": round(seconds, 6), "rss_kb": rss_kb(), **more}
    print(json.dumps(result), flush=True)

def run(coro):
    if os.environ.get("LOOP") == "uvloop":
        import uvloop
        uvloop.install()
    return asyncio.run(coro)
