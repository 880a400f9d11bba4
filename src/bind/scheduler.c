/* SPDX-License-Identifier: MIT
 *
 * The turn: ask the kernel, fire timers, run what was ready. Called by run_forever and by a host's
 * step. Invariant: what becomes ready during a turn runs in a later one. */
#include "bind/scheduler.h"

#include "bind/error.h"
#include "bind/handle.h"
#include "bind/interrupt.h"
#include "bind/slow.h"

/* So many nodes may run before the kernel is asked again, when work is plenty: asking costs a
 * system call, not asking lets I/O wait. */
#ifdef AIO_HOSTILE
enum { NODES_PER_POLL = 1 };
#else
enum { NODES_PER_POLL = 256 };
#endif
enum { LOOKS_PER_POLL = 8 }; /* so often may posts from other threads do instead of asking */
enum { STACK_ROOM = 32 };    /* Lua stack slots that a turn may use */

/* After a hook: drops its error, unless that is to end the run. */
static bool hook_called(lua_State *L, aio_lloop *l, int status) {
  if (status == LUA_OK) return true;
  if (aio_error_is_fatal(L, l->st, -1))
    aio_lloop_fatal(L, l);
  else
    lua_pop(L, 1);
  return false;
}

bool aio_scheduler_hook(lua_State *L, aio_lloop *l, const char *name) {
  aio_push_hook(L, l->st, name);
  aio_lloop_push(L, l);
  return hook_called(L, l, lua_pcall(L, 1, 0, 0));
}

static void run_node(lua_State *L, aio_lloop *l, aio_node *n) {
  switch (n->kind) {
  case AIO_NODE_TASK: {
    aio_wait *w = (aio_wait *)(void *)n;
    if (n->state == AIO_PENDING)
      aio_wake(l->core, w); /* its sleep is over */
    else
      aio_task_step(L, aio_task_of_wait(w));
    break;
  }
  case AIO_NODE_CALLBACK:
    aio_handle_run(L, (aio_handle *)(void *)n);
    break;
  default: {
    aio_cnode *c = (aio_cnode *)(void *)n;
    c->run(l->core, c);
  }
  }
}

/* What is too long for one node: in a host's step also more than the whole budget. */
static double slow_limit(const aio_lloop *l) {
  return l->stepping && l->budget > 0 && l->budget < l->slow ? l->budget : l->slow;
}

/* Debug mode and hosts: a node that ran for too long is reported, with the task or callback. */
static void run_timed(lua_State *L, aio_lloop *l, aio_node *n) {
  double start = (double)uv_hrtime() / 1e9;
  aio_task *t = n->kind == AIO_NODE_TASK ? aio_task_of_wait((aio_wait *)(void *)n) : NULL;
  if (n->kind != AIO_NODE_C) {
    aio_push_anchored(L, l->st,
                      t ? t->slot : ((aio_handle *)(void *)n)->slot); /* outlives its end */
  } else {
    lua_pushnil(L);
  }
  bool watched = l->debug && n->kind == AIO_NODE_CALLBACK;
  aio_slow_begin(l->st, slow_limit(l));
  if (watched) aio_slow_watch(L);
  run_node(L, l, n);
  if (watched) aio_slow_unwatch(L);
  aio_slow_end(l->st);
  double took = (double)uv_hrtime() / 1e9 - start;
  if (took >= slow_limit(l) && l->core) {
    aio_push_hook(L, l->st, "slow_callback");
    aio_lloop_push(L, l);
    lua_pushvalue(L, -3);
    lua_pushnumber(L, took);
    hook_called(L, l, lua_pcall(L, 3, 0, 0));
  }
  lua_pop(L, 1);
}

/* False when nothing was called: a sleep is over, whose task goes on in the next turn. */
static bool run_one(lua_State *L, aio_lloop *l) {
  aio_node *n = aio_node_of(aio_list_shift(&l->core->batch));
  bool calls = n->state != AIO_PENDING;
  l->since_poll++;
  if (calls && (l->debug || l->stepping))
    run_timed(L, l, n);
  else
    run_node(L, l, n);
  return calls;
}

static void poll(aio_lloop *l, double timeout) {
  l->since_poll = 0;
  aio_loop_poll(l->core, timeout);
}

bool aio_scheduler_room(lua_State *L) {
  return lua_checkstack(L, STACK_ROOM);
}

static void enter(lua_State *L, aio_lloop *l) {
  l->L = L;
  l->running = true;
  l->st->running = l;
  l->st->debug_any = l->debug;
}

static void leave(aio_lloop *l) {
  l->running = false;
  l->st->running = NULL;
  l->L = NULL;
}

/* Readies what is due, then takes all that is ready for this turn. */
static void begin_turn(aio_lloop *l) {
  aio_loop_expire(l->core);
  aio_list_splice(&l->core->batch, &l->core->ready);
}

/* Nothing can ever wake anybody: no ready work, no timer, no descriptor, no thread. */
static bool deadlocked(const aio_lloop *l, double timeout) {
  return timeout < 0 && l->core->live == 0 && l->core->remotes == 0;
}

/* Tells main, after a full collection: a finalizer may still wake somebody. False when
 * that failed (for want of memory) and is to be tried again. */
static bool report_deadlock(lua_State *L, aio_lloop *l, const aio_future *main) {
  lua_gc(L, LUA_GCCOLLECT, 0);
  if (!deadlocked(l, aio_loop_timeout(l->core)) || aio_future_done(main)) return true;
  return aio_scheduler_hook(L, l, "deadlock");
}

void aio_scheduler_run(lua_State *L, aio_lloop *l, aio_future *main) {
  aio_loop *core = l->core;
  bool over;
  enter(L, l);
  aio_loop_attend(core);
  do {
    aio_loop_collect(core);
    /* The turn after main's end still runs its callbacks. */
    over = main && aio_future_done(main);
    double timeout =
        over || l->stopping || !aio_list_empty(&core->batch) ? 0 : aio_loop_timeout(core);
    if (main && deadlocked(l, timeout)) {
      bool told = report_deadlock(L, l, main);
      timeout = told && !aio_future_done(main) ? aio_loop_timeout(core) : 0;
    }
    if (timeout != 0 && aio_loop_lookout(core, timeout)) {
      aio_loop_collect(core);
      timeout = 0;
      l->since_poll += NODES_PER_POLL / LOOKS_PER_POLL;
    }
    if (timeout != 0 || l->since_poll >= NODES_PER_POLL || aio_list_empty(&core->ready))
      poll(l, timeout);
    if (l->interrupts) aio_interrupt_deliver(L, l);
    begin_turn(l);
    while (!l->fatal && l->interrupts < 2 && !aio_list_empty(&core->batch)) run_one(L, l);
  } while (!l->stopping && !l->fatal && !over);
  l->stopping = false;
  aio_loop_unattend(core);
  leave(l);
}

static void wake_steppers(aio_lloop *l) {
  l->step++;
  aio_wake_all(l->core, &l->steppers);
}

bool aio_scheduler_step(lua_State *L, aio_lloop *l, double budget) {
  aio_loop *core = l->core;
  double end = budget < 0 ? 0 : (double)uv_hrtime() / 1e9 + budget;
  enter(L, l);
  l->stepping = true;
  l->budget = budget;
  poll(l, 0);
  wake_steppers(l);
  for (;;) {
    if (aio_list_empty(&core->batch)) begin_turn(l);
    if (aio_list_empty(&core->batch)) {
      if (!core->watchers_changed) break;
      poll(l, 0); /* a read that was started since is not seen by a poll before it */
      if (aio_list_empty(&core->ready)) break;
      continue;
    }
    bool stepped = run_one(L, l);
    if (l->fatal || (stepped && budget >= 0 && (double)uv_hrtime() / 1e9 >= end)) break;
    if (l->since_poll >= NODES_PER_POLL) poll(l, 0);
  }
  l->stepping = false;
  leave(l);
  return !aio_list_empty(&core->batch) || !aio_list_empty(&core->ready);
}

double aio_scheduler_deadline(aio_lloop *l) {
  aio_loop *core = l->core;
  double now = aio_loop_now(core);
  if (core->watchers_changed || !aio_list_empty(&core->ready) || !aio_list_empty(&core->batch))
    return now;
  uv_update_time(&core->uv);
  int ms = uv_backend_timeout(&core->uv);
  const aio_heap_entry *top = aio_heap_top(&core->timers);
  if (!top) return ms < 0 ? -1 : now + ms / 1e3;
  double ours = top->when > now ? top->when : now;
  return ms < 0 || now + ms / 1e3 > ours ? ours : now + ms / 1e3;
}
