"""One measurement: a program run to its end, or a server under load.

A program prints one line of JSON, with `ops` and whatever else it counts. Its CPU time is that of
the whole process, start and end included, from wait4. A server's is read by the loader from the
kernel's scheduler, for the time that it loads it.
"""
import glob, json, os, re, signal, socket, subprocess, tempfile, time

from peers import HERE, built, command

CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, LOADER_CPU = {CPUS[0]}, {CPUS[-1]}


class Failed(Exception):
    pass


def last_line(log):
    log.seek(0)
    lines = log.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no message"


def program(workload, peer, args, limit, cpus=set(CPUS)):
    """Runs to the end, at most `limit` seconds; what it printed plus `cpu_us`."""
    words, env = command(workload, peer)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        child = subprocess.Popen(words + args.split(), env=env, stdout=out, stderr=log,
                                 preexec_fn=lambda: os.sched_setaffinity(0, cpus))
        signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.setitimer(signal.ITIMER_REAL, limit)
        _, status, usage = os.wait4(child.pid, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        child.returncode = status
        if status:
            raise Failed(f"status {status}: {last_line(log)}")
        got = json.loads(last_line(out))
    got["cpu_us"] = (usage.ru_utime + usage.ru_stime) / got["ops"] * 1e6
    return got


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_open(port, child, log):
    for _ in range(200):
        if child.poll() is not None:
            raise Failed("the server ended: " + last_line(log))
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Failed("the server did not open its port")


def load(workload, port, pid, args):
    if not os.path.exists(os.path.join(HERE, workload, "loader.c")):
        return load_http(port, pid, *args.split())
    words = [built(workload, "loader.c"), str(port), str(pid)] + args.split()
    run = subprocess.run(words, capture_output=True, text=True, timeout=60,
                         preexec_fn=lambda: os.sched_setaffinity(0, LOADER_CPU))
    if run.returncode:
        raise Failed("loader: " + run.stderr.strip()[-160:])
    got = json.loads(run.stdout)
    if got["bad"]:
        raise Failed("wrong or missing answers")
    return got


def end(child):
    child.terminate()
    try:
        child.wait(3)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def client(workload, peer, args, limit):
    """Runs a client to its end on one CPU, against responder.c on another."""
    port = free_port()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen([built(workload, "responder.c"), str(port)], stderr=log,
                                 preexec_fn=lambda: os.sched_setaffinity(0, LOADER_CPU))
        try:
            wait_open(port, child, log)
            return program(workload, peer, f"{port} {args}", limit, SERVER_CPU)
        finally:
            end(child)


def cpu_of(pid):
    """Nanoseconds that the threads of a process have had, from the kernel's scheduler."""
    tasks = glob.glob(f"/proc/{pid}/task/*/schedstat")
    return sum(int(open(task).read().split()[0]) for task in tasks)


def wrk(port, path, conns, seconds):
    words = ["wrk", "-t1", f"-c{conns}", f"-d{seconds}s", f"http://127.0.0.1:{port}{path}"]
    run = subprocess.run(words, capture_output=True, text=True, timeout=60,
                         preexec_fn=lambda: os.sched_setaffinity(0, LOADER_CPU))
    found = re.search(r"(\d+) requests in", run.stdout)
    if not found or "Non-2xx" in run.stdout or "Socket errors" in run.stdout:
        raise Failed("wrk: " + (run.stdout + run.stderr).strip()[-160:])
    return int(found.group(1))


def load_http(port, pid, path, conns, seconds):
    """Loads a server of HTTP with wrk: a closed loop over `conns` connections."""
    wrk(port, path, conns, 1)  # what is made once is made
    before, began = cpu_of(pid), time.perf_counter()
    ops = wrk(port, path, conns, seconds)
    spent, took = cpu_of(pid) - before, time.perf_counter() - began
    return {"ops": ops, "seconds": took, "cpu_us": spent / ops / 1e3, "bad": 0}


def server(workload, peer, args, limit):
    """Starts the server on one CPU, loads it from another; `cpu_us` is the server's alone."""
    words, env = command(workload, peer)
    port = free_port()
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(words + [str(port)], env=env, stderr=log,
                                 stdout=subprocess.DEVNULL,
                                 preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CPU))
        try:
            wait_open(port, child, log)
            return load(workload, port, child.pid, args)
        finally:
            end(child)
