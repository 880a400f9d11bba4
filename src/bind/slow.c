/* SPDX-License-Identifier: MIT
 *
 * A debug hook in the thread that runs looks at the clock, when a function returns and every now
 * and then; the first time that it is too late it keeps a traceback. So the culprit is told, and
 * not only the task. Called by the scheduler and the task step, in debug mode only. Invariant: the
 * hook is in no thread that is not running, but in threads that a watched one has made; there it
 * removes itself. */
#include "bind/slow.h"

static const double NS_PER_S = 1e9;
enum { INSTRUCTIONS = 1000 }; /* between two looks at the clock */

static void sample(lua_State *L, lua_Debug *ar) {
  (void)ar;
  aio_state *st = aio_state_of(L);
  if (!st || !st->slow_at) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  if (uv_hrtime() < st->slow_at) return;
  st->slow_at = 0;
  aio_push_ref(L, st, AIO_REF_HOOKS);
  luaL_traceback(L, L, NULL, 0);
  lua_setfield(L, -2, "slow_traceback");
  lua_pop(L, 1);
}

void aio_slow_begin(aio_state *st, double limit) {
  double ns = limit * NS_PER_S;
  st->slow_at = ns < (double)INT64_MAX ? uv_hrtime() + (uint64_t)ns : UINT64_MAX;
}

void aio_slow_end(aio_state *st) {
  st->slow_at = 0;
}

void aio_slow_watch(lua_State *co) {
  if (!lua_gethook(co)) lua_sethook(co, sample, LUA_MASKRET | LUA_MASKCOUNT, INSTRUCTIONS);
}

void aio_slow_unwatch(lua_State *co) {
  if (lua_gethook(co) == sample) lua_sethook(co, NULL, 0, 0);
}

/* core._slow_traceback(): the traceback of the step that was too slow, once; or nil. */
static int slow_traceback(lua_State *L) {
  aio_push_ref(L, aio_state_up(L), AIO_REF_HOOKS);
  lua_getfield(L, -1, "slow_traceback");
  lua_pushnil(L);
  lua_setfield(L, -3, "slow_traceback");
  return 1;
}

void aio_slow_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_slow_traceback", slow_traceback}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
