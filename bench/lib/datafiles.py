"""The files that the workload `files` reads, made for a case and removed after it."""
import contextlib, os, tempfile

SMALL, MIB, LINE = 1000, 1 << 20, b"x" * 63 + b"\n"


@contextlib.contextmanager
def made_for(case):
    if case.workload != "files":
        yield
        return
    what, n = case.args.split()[:2]
    with tempfile.TemporaryDirectory(prefix="aio-bench-") as folder:
        if what == "small":
            for i in range(1, int(n) + 1):
                with open(os.path.join(folder, str(i)), "wb") as f:
                    f.write(b"x" * SMALL)
        else:
            with open(os.path.join(folder, "big"), "wb") as f:
                for _ in range(int(n)):
                    f.write(LINE * (MIB // len(LINE)))
        os.environ["BENCH_FILES"] = folder
        yield
