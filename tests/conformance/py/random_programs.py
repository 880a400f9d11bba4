# random_programs: makes random programs and writes them with what they do, for tests/test_random.lua
#   python3 random_programs.py > ../random.txt
# Written for CPython 3.11; where 3.13 and later count cancels differently, what they do stands here.
import asyncio
import contextvars
import random
from asyncio import taskgroups, tasks

COUNT, LEAST, MOST = 60, 20, 60  # programs; lines of a trace
TURNS, MAX_TASKS, ROUNDS = 150, 40, 6

LEAVES = """yield yield yield spawn spawn spawn await shield cancel cancel cancel_self uncancel set
    clear wait put put get get put_nowait get_nowait join task_done future set_result set_exception
    cancel_future call_soon context callback raise wait_tasks gather as_completed wait_for_zero""".split()
NESTS = "lock semaphore condition group swallow catch finally generator expired".split()


def program(seed):
    r = random.Random(seed)
    kinds = r.randint(4, 7)

    def some(me, depth, low=1, high=4):
        return [op(me, depth) for _ in range(r.randint(low, high))]

    def later(me):
        return sorted(set(r.randint(me + 1, kinds) for _ in range(r.randint(1, 3))))

    def op(me, depth):
        name = r.choice(LEAVES + (NESTS * 2 if depth < 3 else []))
        if name in ("spawn", "await", "shield", "wait_for_zero", "wait_tasks", "gather",
                    "as_completed") and me == kinds:
            return ["yield"]
        if name in ("spawn", "await", "shield", "wait_for_zero"):
            return [name, r.randint(me + 1, kinds)]
        if name in ("cancel", "callback"):
            return [name, r.randint(2, kinds)]
        if name in ("set", "clear", "wait", "get", "get_nowait", "join", "task_done"):
            return [name, r.randint(1, 2)]
        if name in ("put", "put_nowait"):
            return [name, r.randint(1, 2), r.randint(10, 99)]
        if name in ("future", "set_result", "set_exception", "cancel_future"):
            return [name, r.randint(1, 3)]
        if name in ("context", "raise"):
            return [name, r.randint(10, 99)]
        if name in ("gather", "as_completed"):
            return [name, later(me)]
        if name == "wait_tasks":
            return [name, later(me), r.choice(["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"])]
        if name in ("lock", "semaphore"):
            return [name, r.randint(1, 2), some(me, depth + 1)]
        if name == "condition":
            body = some(me, depth + 1)
            body.insert(r.randint(0, len(body)), r.choice([["wait_notified"], ["notify", 1], ["notify", 2]]))
            return [name, body]
        if name == "group":
            return [name, later(me) if me < kinds else [], some(me, depth + 1)]
        if name in ("swallow", "catch", "expired"):
            return [name, some(me, depth + 1)]
        if name == "finally":
            return [name, some(me, depth + 1), some(me, depth + 1)]
        if name == "generator":
            return [name, r.randint(1, 3), some(me, depth + 1), some(me, depth + 1)]
        return [name]

    return [some(me, 0, 3, 6) for me in range(1, kinds + 1)]


def lua(v):
    if isinstance(v, list):
        return "{" + ", ".join(map(lua, v)) + "}"
    return f'"{v}"' if isinstance(v, str) else str(v)


class Task(tasks._PyTask):
    def uncancel(self):
        if self._num_cancels_requested > 0:
            self._num_cancels_requested -= 1
            if self._num_cancels_requested == 0:
                self._must_cancel = False
        return self._num_cancels_requested


class Ordered(dict):
    def add(self, x):
        self[x] = True

    def discard(self, x):
        self.pop(x, None)


class Group(taskgroups.TaskGroup):
    def __init__(self):
        super().__init__()
        self._tasks = Ordered()

    async def __aexit__(self, et, exc, tb):
        self._exiting = True
        cancelled = exc if isinstance(exc, asyncio.CancelledError) else None
        if exc is not None and not self._aborting:
            self._abort()
        while self._tasks:
            self._on_completed_fut = self._loop.create_future()
            try:
                await self._on_completed_fut
            except asyncio.CancelledError as e:
                if not self._aborting:
                    cancelled = e
                    self._abort()
            self._on_completed_fut = None
        if self._parent_cancel_requested and self._parent_task.uncancel() == 0:
            cancelled = None
        if cancelled is not None and not self._errors:
            raise cancelled
        if exc is not None and not isinstance(exc, asyncio.CancelledError):
            self._errors.append(exc)
        if self._errors:
            if self._parent_task.cancelling():
                self._parent_task.uncancel()
                self._parent_task.cancel()
            raise BaseExceptionGroup("errors", self._errors) from None


async def gather(ts):
    """gather(*ts, return_exceptions=True); what has finished already takes no turn."""
    left = [t for t in ts if not t.done()]
    if left:
        await asyncio.gather(*left, return_exceptions=True)
    return [asyncio.CancelledError() if t.cancelled() else t.exception() or t.result() for t in ts]


async def wait_for_zero(t):
    if t.done():
        return t.result()
    await tasks._cancel_and_wait(t, asyncio.get_running_loop())
    try:
        return t.result()
    except asyncio.CancelledError:
        raise TimeoutError from None


class Failure(Exception):
    pass


def short(e):
    if isinstance(e, BaseExceptionGroup):
        return "group(" + " ".join(map(short, e.exceptions)) + ")"
    for kind, name in ((asyncio.CancelledError, "cancelled"), (TimeoutError, "timeout"),
                       (asyncio.QueueEmpty, "empty"), (asyncio.QueueFull, "full"),
                       ((RuntimeError, ValueError), "runtime")):
        if isinstance(e, kind):
            return name
    return f"E{e.args[0]}" if isinstance(e, Failure) else repr(e)


class World:
    def __init__(self, prog):
        self.prog, self.trace, self.tasks, self.all = prog, [], {}, []
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(lambda l, c: None)
        self.locks = [asyncio.Lock(), asyncio.Lock()]
        self.semaphores = [asyncio.Semaphore(1), asyncio.Semaphore(2)]
        self.events = [asyncio.Event(), asyncio.Event()]
        self.queues = [asyncio.Queue(1), asyncio.LifoQueue(2)]
        self.cond = asyncio.Condition()
        self.futures = [self.loop.create_future() for _ in range(3)]
        self.var = contextvars.ContextVar("var", default=0)

    def say(self, *words):
        self.trace.append(" ".join(str(w).lower() if isinstance(w, bool) else str(w) for w in words))

    def index(self, t):
        return self.all.index(t) + 1

    def numbers(self, ts):
        return "(" + " ".join(str(self.index(t)) for t in ts) + ")"

    def latest(self, kinds):
        return [self.tasks[k] for k in kinds if k in self.tasks]

    async def script(self, kind, number):
        me = f"{kind}.{number}"
        self.say(me, "starts", self.var.get())
        try:
            await self.run(me, self.prog[kind - 1])
        except BaseException as e:
            self.say(me, "ends with", short(e))
            raise
        self.say(me, "ends")
        return kind

    def spawn(self, owner, kind):
        if len(self.all) == MAX_TASKS:
            return
        c = self.script(kind, len(self.all) + 1)
        try:
            t = owner.create_task(c)
        except RuntimeError:
            c.close()
            raise
        self.tasks[kind] = t
        self.all.append(t)

    async def run(self, me, ops):
        for name, *args in ops:
            await self.op(me, name, *args)

    async def op(self, me, name, *a):
        say, i = self.say, (a[0] - 1 if a and isinstance(a[0], int) else None)
        if name in ("await", "shield", "wait_for_zero", "cancel", "callback"):
            t = self.tasks.get(a[0])
            if t is None:
                return
            if name == "cancel":
                r = t.cancel()
            elif name == "callback":
                t.add_done_callback(lambda t: say("done callback", self.index(t), self.var.get()))
                r = "added"
            else:
                r = await (t if name == "await" else asyncio.shield(t) if name == "shield" else wait_for_zero(t))
            say(me, name, a[0], r)
        elif name in ("set", "clear", "wait"):
            r = getattr(self.events[i], name)()
            if name == "wait":
                await r
            say(me, name, a[0], "")
        elif name in ("put", "get", "put_nowait", "get_nowait", "join", "task_done"):
            r = getattr(self.queues[i], name)(*a[1:])
            if name in ("put", "get", "join"):
                r = await r
            say(me, name, a[0], "" if r is None else r)
        elif name == "future":
            say(me, name, a[0], await self.futures[i])
        elif name in ("set_result", "set_exception", "cancel_future"):
            if self.futures[i].done():
                self.futures[i] = self.loop.create_future()
            f = self.futures[i]
            if name == "set_result":
                f.set_result(a[0])
            elif name == "set_exception":
                f.set_exception(Failure(f"f{a[0]}"))
            else:
                f.cancel()
            say(me, name, a[0])
        elif name == "yield":
            await asyncio.sleep(0)
            say(me, name)
        elif name == "spawn":
            self.spawn(self.loop, a[0])
            say(me, name, a[0])
        elif name == "cancel_self":
            say(me, "cancel self", asyncio.current_task().cancel())
        elif name == "uncancel":
            say(me, name, asyncio.current_task().uncancel())
        elif name == "context":
            self.var.set(a[0])
            say(me, name, a[0])
        elif name == "call_soon":
            self.loop.call_soon(lambda: say(me, "called", self.var.get()))
        elif name == "raise":
            raise Failure(str(a[0]))
        elif name == "wait_tasks":
            ts = self.latest(a[0])
            if ts:
                done, pending = await asyncio.wait(ts, return_when=getattr(asyncio, a[1]))
                say(me, "waited", self.numbers(t for t in ts if t in done),
                    self.numbers(t for t in ts if t in pending))
        elif name == "gather":
            res = await gather(self.latest(a[0]))
            say(me, "gathered", " ".join(short(x) if isinstance(x, BaseException) else str(x) for x in res))
        elif name == "as_completed":
            ts, done = self.latest(a[0]), asyncio.Queue()
            for t in ts:  # as_completed, but what is done already comes in the order given
                t.add_done_callback(done.put_nowait)
            for _ in ts:
                try:
                    say(me, "completed", (await done.get()).result())
                except Failure as e:
                    say(me, "completed", short(e))
        elif name == "notify":
            self.cond.notify(a[0])
            say(me, name)
        elif name == "wait_notified":
            await self.cond.wait()
            say(me, "notified")
        elif name in ("lock", "semaphore", "condition"):
            o = self.cond if name == "condition" else getattr(self, name + "s")[i]
            async with o:
                say(me, "in", name)
                await self.run(me, a[-1])
            say(me, "out of", name)
        elif name == "group":
            async with Group() as g:
                for kind in a[0]:
                    self.spawn(g, kind)
                await self.run(me, a[1])
            say(me, "group over")
        elif name == "expired":
            async with asyncio.timeout(0):
                await self.run(me, a[0])
            say(me, "in time")
        elif name == "swallow":
            try:
                await self.run(me, a[0])
            except asyncio.CancelledError:
                say(me, "swallows")
        elif name == "catch":
            try:
                await self.run(me, a[0])
            except Exception as e:
                say(me, "catches", short(e))
        elif name == "finally":
            try:
                await self.run(me, a[0])
            finally:
                say(me, name)
                await self.run(me, a[1])
        elif name == "generator":
            g = self.generated(me, *a[1:])
            async for v in g:
                say(me, "generated", v)
                if v == a[0]:
                    break
            await g.aclose()
            say(me, "generator closed")

    async def generated(self, me, before, between):
        try:
            await self.run(me, before)
            yield 1
            await self.run(me, between)
            yield 2
        finally:
            self.say(me, "generator ends")
            await asyncio.sleep(0)


def outcome(t):
    return "cancelled" if t.cancelled() else short(t.exception()) if t.exception() else t.result()


async def main(prog):
    w = World(prog)
    w.spawn(w.loop, 1)
    for _ in range(ROUNDS):
        for _ in range(TURNS):
            await asyncio.sleep(0)
        left = [t for t in w.all if not t.done()]
        if not left:
            break
        w.say("main cancels", w.numbers(left))
        for t in left:
            t.cancel()
    else:
        return None, w  # they wait for each other in a way that no cancel ends
    for n, t in enumerate(w.all, 1):
        w.say(n, outcome(t), t.cancelling())
    w.say("locked", w.locks[0].locked(), w.locks[1].locked(), w.cond.locked(), w.semaphores[0].locked(),
          "left", w.queues[0].qsize(), w.queues[1].qsize())
    return w.trace, w


keep = []  # tasks that are left must not be collected while another program runs
seed = count = 0
while count < COUNT:
    seed += 1
    loop = asyncio.new_event_loop()
    loop.set_task_factory(lambda l, c, context=None: Task(c, loop=l, context=context))
    trace, world = loop.run_until_complete(main(program(seed)))
    keep.append((loop, world))
    if trace and LEAST <= len(trace) <= MOST:
        print("## " + lua(program(seed)), *trace, "", sep="\n")
        count += 1
