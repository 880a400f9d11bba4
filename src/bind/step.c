/* SPDX-License-Identifier: MIT
 *
 * One step of a task: start or resume its coroutine, and what happens when its body ends. Called
 * by the scheduler. The body runs under a yieldable pcall inside its own coroutine, so that
 * `__close` handlers can wait while an error unwinds.
 *
 * Threads are reused: one that has ended normally, and that nobody can hold, goes to the pool.
 * Invariant: nothing in this file throws into the scheduler; what can fail (making a thread, a
 * sentinel) runs protected and fails only its task. */
#include <string.h>

#include "bind/error.h"
#include "bind/handle.h"
#include "bind/line.h"
#include "bind/lloop.h"
#include "bind/slow.h"
#include "bind/task.h"
#include "bind/worker.h"

enum { BAD_YIELD = 0xff };     /* in nargs of a started task: a plain yield must raise */
enum { SELF = 1, MSGH, BODY }; /* stack of task_main */

/* ---- inside the coroutine ---- */

/* Raised inside the coroutine at the line after a plain coroutine.yield(). */
static int raise_bad_yield(lua_State *L, aio_task *t) {
  aio_state *st = t->fut.loop->st;
  t->nargs = 0;
  aio_error_new(L, st, AIO_E_RUNTIME,
                "coroutine.yield() outside a coroutine of your own would suspend the task for "
                "ever; use aio.sleep(0) to give way");
  lua_pushfstring(L, "%s:%d", st->yield_source, st->yield_line);
  lua_setfield(L, -2, "where");
  return lua_error(L);
}

/* Notes where the task that has just yielded called coroutine.yield. */
static void note_bad_yield(aio_state *st, lua_State *co) {
  lua_Debug ar;
  memcpy(st->yield_source, "?", 2);
  st->yield_line = 0;
  for (int level = 0; lua_getstack(co, level, &ar); level++) {
    lua_getinfo(co, "Sl", &ar);
    if (ar.currentline <= 0) continue;
    memcpy(st->yield_source, ar.short_src, sizeof st->yield_source);
    st->yield_line = ar.currentline;
    return;
  }
}

static void bad_yield_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  aio_state *st = aio_state_of(L);
  lua_sethook(L, NULL, 0, 0);
  if (st && st->current) raise_bad_yield(L, st->current);
}

/* The error at the top becomes the outcome. */
static void fail(lua_State *L, aio_state *st, aio_task *t) {
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    aio_error_new(L, st, AIO_E_RUNTIME, "nil raised");
  }
  bool cancelled = aio_error_is(L, st, -1, AIO_E_CANCELLED);
  if (!cancelled && !(t->fut.flags & AIO_FUT_RETRIEVED)) aio_future_watch(L, st, SELF);
  lua_setiuservalue(L, SELF, AIO_UV_RESULT);
  t->fut.flags &= (uint8_t) ~(AIO_FUT_MULTI | AIO_FUT_NORESULT);
  t->fut.state = cancelled ? AIO_FUT_CANCELLED : AIO_FUT_FAILED;
}

/* The body's results (from BODY on) or its error (at the top) become the outcome. */
static void settle(lua_State *L, aio_state *st, aio_task *t, bool ok) {
  if (t->nargs == BAD_YIELD) raise_bad_yield(L, t);
  if (!ok) {
    fail(L, st, t);
    return;
  }
  if (t->tflags & AIO_TASK_MUST_CANCEL) { /* a pending cancel wins over a normal return */
    t->tflags &= (uint8_t)~AIO_TASK_MUST_CANCEL;
    lua_pushnil(L);
    lua_setiuservalue(L, SELF, AIO_UV_RESULT);
    t->fut.state = AIO_FUT_CANCELLED;
    return;
  }
  uint8_t kind = aio_future_pack(L, BODY);
  aio_future_put(L, SELF, &t->fut, kind);
  t->fut.state = AIO_FUT_DONE;
}

/* After the closing of scopes that the body left open: stack BODY = ok, then its results. */
static int closed_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = (aio_task *)ctx;
  bool ok = lua_toboolean(L, BODY);
  lua_remove(L, BODY);
  settle(L, t->fut.loop->st, t, ok);
  return 0;
}

static int ended(lua_State *L, aio_task *t, bool ok) {
  aio_state *st = t->fut.loop->st;
  if (!(t->tflags & (AIO_TASK_SCOPES)) && !(t->cancelling && st->debug_any)) {
    settle(L, st, t, ok);
    return 0;
  }
  /* task_ended(task, ok, results...) -> ok, results...; may wait */
  int n = lua_gettop(L) - MSGH;
  aio_push_hook(L, st, "task_ended");
  lua_insert(L, BODY);
  lua_pushvalue(L, SELF);
  lua_pushboolean(L, ok);
  lua_rotate(L, BODY + 1, 2);
  lua_callk(L, n + 2, LUA_MULTRET, (lua_KContext)t, closed_k);
  return closed_k(L, LUA_OK, (lua_KContext)t);
}

static int main_k(lua_State *L, int status, lua_KContext ctx) {
  return ended(L, (aio_task *)ctx, status == LUA_OK || status == LUA_YIELD);
}

/* The coroutine's function. Stack: task, body, and the argument or a table of arguments. */
static int task_main(lua_State *L) {
  aio_task *t = lua_touserdata(L, SELF);
  int n = t->nargs;
  t->nargs = 0;
  lua_pushcfunction(L, aio_error_msgh);
  lua_insert(L, MSGH);
  if (n == 2) {
    int list = lua_gettop(L);
    lua_getfield(L, list, "n");
    n = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, n, "too many arguments");
    for (int i = 1; i <= n; i++) lua_rawgeti(L, list, i);
    lua_remove(L, list);
  }
  int status = lua_pcallk(L, n, LUA_MULTRET, MSGH, (lua_KContext)t, main_k);
  return main_k(L, status, (lua_KContext)t);
}

/* ---- outside: the scheduler's side ---- */

static int thread_new(lua_State *L) {
  lua_newthread(L);
  return 1;
}

/* Pushes a thread from the pool, or a new one; on failure pushes the error. */
static bool push_thread(lua_State *L, aio_state *st) {
  if (st->pooled) {
    aio_push_ref(L, st, AIO_REF_POOL);
    lua_rawgeti(L, -1, st->pooled);
    lua_pushboolean(L, 0);
    lua_rawseti(L, -3, st->pooled--);
    lua_replace(L, -2);
    return true;
  }
  lua_pushcfunction(L, thread_new);
  return lua_pcall(L, 0, 1, 0) == LUA_OK;
}

static bool reusable(const aio_state *st, const aio_task *t) {
  return st->pooled < AIO_POOL_MAX && !(t->tflags & AIO_TASK_EXPOSED) && !lua_gethook(t->co);
}

/* The thread of the task at `self` has ended normally: keep it for the next task. */
static void recycle(lua_State *L, aio_state *st, int self) {
  aio_push_ref(L, st, AIO_REF_POOL);
  lua_getiuservalue(L, self, AIO_UV_THREAD);
  lua_rawseti(L, -2, ++st->pooled); /* the key exists: no memory needed */
  lua_pop(L, 1);
}

/* The task has its outcome: wakes who waits, lets go of it. */
static void finish(lua_State *L, aio_task *t, bool recyclable) {
  aio_lloop *l = t->fut.loop;
  aio_state *st = l->st;
  aio_task_push(L, t);
  int self = lua_gettop(L);
  if (recyclable && reusable(st, t)) recycle(L, st, self);
  t->co = t->top = NULL;
  aio_lloop_push(L, l);
  lua_setiuservalue(L, self, AIO_UV_THREAD);
  if (t->fut.state == AIO_FUT_FAILED) {
    lua_getiuservalue(L, self, AIO_UV_RESULT);
    if (aio_error_is_fatal(L, st, -1)) {
      t->fut.flags |= AIO_FUT_RETRIEVED;
      aio_lloop_fatal(L, l);
    } else {
      lua_pop(L, 1);
    }
  }
  aio_future_complete(&t->fut, t->fut.state);
  aio_unanchor(L, st, t->slot);
  t->slot = 0;
  st->ntasks--;
  lua_pop(L, 1);
  aio_lloop_release(L, l);
}

static int watch_protected(lua_State *L) {
  aio_future_watch(L, aio_state_of(L), 1);
  return 0;
}

/* The coroutine died outside task_main's protection (no memory, or closed by somebody), or never
 * came to be: the error at the top (popped) is the outcome. */
static void fail_outside(lua_State *L, aio_task *t) {
  aio_state *st = t->fut.loop->st;
  aio_list_del(&t->wait.node.link);
  aio_loop_timer_stop(t->fut.loop->core, &t->wait.timer);
  t->wait.node.state = AIO_PENDING; /* a thread inside that somebody resumes never goes on */
  aio_task_push(L, t);
  lua_pushvalue(L, -2);
  lua_setiuservalue(L, -2, AIO_UV_RESULT);
  t->fut.flags &= (uint8_t) ~(AIO_FUT_MULTI | AIO_FUT_NORESULT);
  t->fut.state = aio_error_is(L, st, -2, AIO_E_CANCELLED) ? AIO_FUT_CANCELLED : AIO_FUT_FAILED;
  if (t->fut.state == AIO_FUT_FAILED) {
    lua_pushcfunction(L, watch_protected);
    lua_pushvalue(L, -2);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1); /* then nobody can be told */
  }
  lua_pop(L, 2);
  finish(L, t, false);
}

/* First step: gives the task a thread with its function and arguments on it. False: it has ended.
 */
static bool start(lua_State *L, aio_task *t) {
  aio_state *st = t->fut.loop->st;
  aio_task_push(L, t);
  int self = lua_gettop(L);
  t->tflags |= AIO_TASK_STARTED;
  if (t->tflags & AIO_TASK_MUST_CANCEL) { /* cancelled before the start: the body never runs */
    t->tflags &= (uint8_t)~AIO_TASK_MUST_CANCEL;
    lua_pushnil(L);
    lua_setiuservalue(L, self, AIO_UV_RESULT);
    t->fut.state = AIO_FUT_CANCELLED;
    lua_settop(L, self - 1);
    finish(L, t, false);
    return false;
  }
  if (!push_thread(L, st)) {
    lua_remove(L, self);
    fail_outside(L, t);
    return false;
  }
  t->co = t->top = lua_tothread(L, -1);
  lua_pushcfunction(t->co, task_main);
  lua_pushvalue(L, self);
  lua_getiuservalue(L, self, AIO_UV_THREAD); /* the function */
  lua_getiuservalue(L, self, AIO_UV_RESULT); /* the argument(s) */
  if (!t->nargs) lua_pop(L, 1);
  lua_xmove(L, t->co, t->nargs ? 3 : 2);
  lua_setiuservalue(L, self, AIO_UV_THREAD);
  lua_pushnil(L);
  lua_setiuservalue(L, self, AIO_UV_RESULT);
  lua_settop(L, self - 1);
  return true;
}

static void died(lua_State *L, aio_task *t) {
  aio_line_abandon(t);
  lua_xmove(t->co, L, 1);
  int err = lua_gettop(L);
  if (lua_status(t->co) != LUA_OK) aio_thread_reset(t->co, L);
  lua_settop(L, err);
  fail_outside(L, t);
}

void aio_task_step(lua_State *L, aio_task *t) {
  aio_state *st = t->fut.loop->st;
  int nargs = 0, nresults;
  t->wait.node.state = AIO_IDLE;
  t->ops = 0;
  t->tflags &= (uint8_t)~AIO_TASK_WITHDRAWN;
  if (!(t->tflags & AIO_TASK_STARTED)) {
    nargs = 2 + (t->nargs != 0);
    if (!start(L, t)) return;
  }
  aio_task *outer = st->current;
  aio_handle *handle = st->handle;
  st->current = t;
  st->handle = NULL;
  if (st->worker) aio_worker_resumes(st->worker, t->co); /* a prod came before it was `current` */
  if (st->debug_any) aio_slow_watch(t->co);
  int status = lua_resume(t->co, L, nargs, &nresults);
  while (status == LUA_YIELD && t->wait.node.state == AIO_IDLE) { /* the user's own yield */
    note_bad_yield(st, t->co);
    lua_pop(t->co, nresults);
    t->nargs = BAD_YIELD;
    t->tflags |= AIO_TASK_EXPOSED;
    lua_sethook(t->co, bad_yield_hook, LUA_MASKCOUNT, 1);
    status = lua_resume(t->co, L, 0, &nresults);
  }
  if (st->debug_any) aio_slow_unwatch(t->co);
  st->current = outer;
  st->handle = handle;
  t->fut.loop->since_poll += t->ops; /* each was a system call's worth of work */
  if (status == LUA_YIELD) return;
  if (status == LUA_OK && aio_future_done(&t->fut))
    finish(L, t, true);
  else
    died(L, t);
}
