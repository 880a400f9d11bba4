/* SPDX-License-Identifier: MIT
 *
 * Stopping a worker that does not wait. A prod (a signal) sets a count hook on everything that runs
 * in its thread; when the hook is reached, after so many instructions without a wait, it raises
 * CancelledError there. There is no hook before. So that the hook finds coroutines inside a task,
 * `coroutine.resume` and `wrap` are replaced in worker states by functions that note what they
 * resume. Invariant: `st->inner` is a list of frames that are on the C stack. */
#include "bind/coroutine.h"
#include "bind/error.h"
#include "bind/worker.h"

/* A cancellation is for the next wait: a step that is as short as this comes to one itself. */
#ifdef AIO_HOSTILE
enum { INSTRUCTIONS = 100000 };
#else
enum { INSTRUCTIONS = 1000000 };
#endif

/* ---- stopping ---- */

static void stop_hook(lua_State *L, lua_Debug *ar) {
  (void)ar;
  aio_state *st = aio_state_of(L);
  aio_worker *w = st ? st->worker : NULL;
  int stop = w ? atomic_load(&w->stop) : AIO_STOP_NO;
  if (stop != AIO_STOP_ALL) lua_sethook(L, NULL, 0, 0);
  if (stop == AIO_STOP_NO) return;
  if (stop == AIO_STOP_CALL) {
    int expected = AIO_STOP_CALL;
    if (!atomic_compare_exchange_strong(&w->stop, &expected, AIO_STOP_NO)) return;
    aio_call *call = w->call;
    if (call && call->task && call->task == st->current) {
      call->stopped = true; /* the post that asks for the same comes too late */
      st->current->cancelling++;
    }
  }
  aio_error_new(L, st, AIO_E_CANCELLED,
                stop == AIO_STOP_ALL ? "the worker is being stopped" : NULL);
  lua_error(L);
}

/* What is to end is not let run again, not even by a pcall around it. */
static void set_hook(lua_State *L, int stop) {
  if (L) lua_sethook(L, stop_hook, LUA_MASKCOUNT, stop == AIO_STOP_ALL ? 1 : INSTRUCTIONS);
}

/* In a signal handler: lua_sethook may be called there. */
void aio_worker_prodded(void *arg) {
  aio_worker *w = arg;
  const aio_state *st = w->st;
  int stop = atomic_load(&w->stop);
  if (!st || stop == AIO_STOP_NO) return;
  set_hook(w->L, stop);
  if (!st->current) return;
  set_hook(st->current->co, stop);
  for (const aio_running *r = st->inner; r; r = r->outer) set_hook(r->co, stop);
}

void aio_worker_resumes(const aio_worker *w, lua_State *co) {
  int stop = atomic_load(&w->stop);
  if (stop != AIO_STOP_NO && !lua_gethook(co)) set_hook(co, stop);
}

void aio_worker_unstop(aio_worker *w) {
  if (atomic_load(&w->stop) == AIO_STOP_NO && lua_gethook(w->L)) lua_sethook(w->L, NULL, 0, 0);
}

/* ---- coroutine.resume, coroutine.wrap ---- */

/* As Lua's own: the count of results, or < 0 with the error at the top. */
static int resume(lua_State *L, aio_state *st, lua_State *co, int nargs) {
  aio_running frame = {co, st->inner};
  int n, status;
  if (!lua_checkstack(co, nargs)) {
    lua_pushliteral(L, "too many arguments to resume");
    return -1;
  }
  lua_xmove(L, co, nargs);
  st->inner = &frame;
  aio_worker_resumes(st->worker, co);
  status = lua_resume(co, L, nargs, &n);
  st->inner = frame.outer;
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return -1;
  }
  if (!lua_checkstack(L, n + 1)) {
    lua_pop(co, n);
    lua_pushliteral(L, "too many results to resume");
    return -1;
  }
  lua_xmove(co, L, n);
  return n;
}

static int tracked_resume(lua_State *L) {
  lua_State *co = lua_tothread(L, 1);
  luaL_argexpected(L, co, 1, "coroutine");
  int n = resume(L, aio_state_up(L), co, lua_gettop(L) - 1);
  lua_pushboolean(L, n >= 0);
  if (n < 0) n = 1;
  lua_insert(L, -(n + 1));
  return n + 1;
}

/* The function that wrap returns; upvalue 2 is its thread. */
static int wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(2));
  int n = resume(L, aio_state_up(L), co, lua_gettop(L));
  return n < 0 ? aio_wrap_raise(L, co) : n;
}

static int tracked_wrap(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  lua_pushcclosure(L, wrapped, 2);
  return 1;
}

void aio_track_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"resume", tracked_resume}, {"wrap", tracked_wrap}, {NULL, NULL}};
  lua_getglobal(L, "coroutine");
  if (lua_istable(L, -1)) aio_setfuncs(L, st, fns);
  lua_pop(L, 1);
}
