/* SPDX-License-Identifier: MIT
 *
 * The orderly end of a host's loop: cancel, a few steps, close. Called by the embedding program at
 * any moment outside a step. Invariant: it ends after a bounded number of steps, whatever tasks do.
 */
#include <stdlib.h>

#include "bind/host.h"
#include "bind/scheduler.h"

static const double DEFAULT_S = 1;   /* for tidying up, when the host names no time */
static const double LEAST_S = 0.001; /* each step gets at least this, or nothing could end */

enum { CANCEL_NEW = 1, COUNT = 0 };

typedef struct entry {
  uint32_t id, slot;
} entry;

static int by_id(const void *a, const void *b) {
  const entry *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

/* Writes the unfinished tasks of the loop to `list` unless that is NULL; how many they are. */
static size_t collect(lua_State *L, const aio_lloop *l, entry *list) {
  aio_state *st = l->st;
  size_t n = 0;
  for (uint32_t s = 1; s <= st->slots; s++) {
    aio_push_anchored(L, st, s);
    const aio_task *t = aio_task_test(L, st, -1);
    lua_pop(L, 1);
    if (!t || t->fut.loop != l) continue;
    if (list) list[n] = (entry){t->id, s};
    n++;
  }
  return n;
}

/* Counts the loop's unfinished tasks; with CANCEL_NEW asks those to cancel that were not asked yet,
 * the oldest first: so a group is cancelled before its children, who then hear of it once.
 * Stack: light userdata of the loop, what to do. */
static int tasks_protected(lua_State *L) {
  const aio_lloop *l = lua_touserdata(L, 1);
  size_t n = collect(L, l, NULL);
  if (n && lua_tointeger(L, 2) == CANCEL_NEW) {
    entry *list = lua_newuserdatauv(L, n * sizeof *list, 0);
    n = collect(L, l, list);
    qsort(list, n, sizeof *list, by_id);
    for (size_t i = 0; i < n; i++) {
      aio_push_anchored(L, l->st, list[i].slot);
      const aio_task *t = lua_touserdata(L, -1);
      if (!t->cancelling) aio_future_cancel(L, l->st, lua_gettop(L), 0);
      lua_pop(L, 1);
    }
  }
  lua_pushinteger(L, (lua_Integer)n);
  return 1;
}

/* How many tasks are left; when memory is out in the middle of cancelling, one too many. */
static int tasks(lua_State *L, aio_lloop *l, int what) {
  lua_pushcfunction(L, tasks_protected);
  lua_pushlightuserdata(L, l);
  lua_pushinteger(L, what);
  int n = lua_pcall(L, 2, 1, 0) == LUA_OK ? (int)lua_tointeger(L, -1) : 1;
  lua_pop(L, 1);
  return n;
}

int aio_host_cancel(lua_State *L) {
  aio_host *h = aio_host_of(L);
  if (!h) return AIO_HOST_CLOSED;
  int n = tasks(L, h->loop, CANCEL_NEW);
  aio_host_rearm(h);
  return n;
}

/* SystemExit during the end has nobody to go to any more: it is reported. Stack: the error. */
static int report_protected(lua_State *L) {
  lua_settop(L, 1);
  lua_createtable(L, 0, 2);
  lua_insert(L, 1);
  lua_setfield(L, 1, "exception");
  lua_pushliteral(L, "a task wanted to end the program while its loop was closed");
  lua_setfield(L, 1, "message");
  aio_lloop_report(L, aio_host_of(L)->loop);
  return 0;
}

static void step(lua_State *L, aio_lloop *l, double budget) {
  aio_lloop_hold(L, l);
  aio_scheduler_step(L, l, budget);
  if (l->fatal) {
    l->fatal = false;
    lua_pushcfunction(L, report_protected);
    aio_lloop_push(L, l);
    lua_getiuservalue(L, -1, AIO_LOOP_UV_FATAL);
    lua_replace(L, -2);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
    l->fatal = false;
  }
  aio_lloop_release(L, l);
}

/* Has the loop at the top generators that are still open? */
static bool has_generators(lua_State *L) {
  lua_getiuservalue(L, -1, AIO_LOOP_UV_FIELDS);
  bool any = false;
  if (lua_getfield(L, -1, "generators") == LUA_TTABLE) {
    lua_pushnil(L);
    any = lua_next(L, -2);
    if (any) lua_pop(L, 2);
  }
  lua_pop(L, 2);
  return any;
}

/* The last task of a loop closes its generators. Stack: light userdata of the loop. */
static int generators_protected(lua_State *L) {
  aio_lloop_push(L, lua_touserdata(L, 1));
  if (!has_generators(L)) return 0;
  lua_getfield(L, -1, "shutdown_asyncgens");
  lua_pushvalue(L, -2);
  if (aio_host_spawn(L, 1) != AIO_HOST_OK) return lua_error(L);
  return 0;
}

static void close_generators(lua_State *L, aio_lloop *l) {
  lua_pushcfunction(L, generators_protected);
  lua_pushlightuserdata(L, l);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1); /* without memory they stay as they are */
}

/* Cancels, then steps until all is quiet. How many tasks are left. */
static int run_down(lua_State *L, aio_lloop *l, double seconds) {
  if (!(seconds >= 0)) seconds = DEFAULT_S;
  double start = (double)uv_hrtime() / 1e9;
  bool generators_asked = false;
  int left = tasks(L, l, CANCEL_NEW);
  for (int i = 0; i < AIO_HOST_CLOSE_STEPS; i++) {
    double spent = (double)uv_hrtime() / 1e9 - start;
    if (!left && generators_asked) break;
    if (!left) {
      close_generators(L, l);
      generators_asked = true;
    }
    step(L, l, seconds - spent > LEAST_S ? seconds - spent : LEAST_S);
    left = tasks(L, l, generators_asked ? COUNT : CANCEL_NEW);
  }
  return left;
}

/* loop:close() reports what is left over. Stack: light userdata of the loop. */
static int close_protected(lua_State *L) {
  aio_lloop_push(L, lua_touserdata(L, 1));
  lua_getfield(L, -1, lua_toboolean(L, 2) ? "close" : "_close");
  lua_pushvalue(L, -2);
  lua_call(L, 1, 0);
  return 0;
}

static void close_loop(lua_State *L, aio_lloop *l, bool with_report) {
  lua_pushcfunction(L, close_protected);
  lua_pushlightuserdata(L, l);
  lua_pushboolean(L, with_report);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
}

int aio_host_close(lua_State *L, double seconds) {
  aio_host *h = aio_host_of(L);
  if (!h) return AIO_HOST_CLOSED;
  aio_lloop *l = h->loop;
  if (l->st->running || l->dropping) return AIO_HOST_BUSY;
  aio_watcher_free(h->watcher);
  h->watcher = NULL;
  aio_lloop_hold(L, l);
  int left = run_down(L, l, seconds);
  close_loop(L, l, true);
  if (l->core) close_loop(L, l, false);
  aio_lloop_release(L, l);
  return left;
}
