/* SPDX-License-Identifier: MIT
 *
 * aio.sleep: the hottest wait. A sleep allocates nothing: the timer is part of the Task. */
#include <math.h>

#include "bind/lloop.h"
#include "bind/module.h"
#include "bind/task.h"

/* The results stand on the coroutine's stack from index 2 on. */
static int sleep_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, sleep_k);
  return lua_gettop(L) - 1;
}

/* Seconds: a number, as the time limits want it, not a text that looks like one. */
static lua_Number seconds(lua_State *L) {
  if (lua_type(L, 1) != LUA_TNUMBER)
    luaL_argerror(L, 1,
                  lua_pushfstring(L, "number of seconds expected, got %s", luaL_typename(L, 1)));
  return lua_tonumber(L, 1);
}

/* aio.sleep(delay, result...): suspends for `delay` seconds, returns the results. A delay of zero
 * or less gives way for exactly one turn. [may yield] */
static int aio_sleep(lua_State *L) {
  aio_state *st = aio_state_up(L);
  /* sleep(0) is the commonest, and an integer need not be converted to be compared */
  lua_Number delay = lua_isinteger(L, 1) ? (lua_Number)lua_tointeger(L, 1) : seconds(L);
  luaL_argcheck(L, !isnan(delay), 1, "a number of seconds expected, got nan");
  aio_task *t = aio_task_waiter(L, st);
  t->wait.target = NULL;
  if (delay <= 0) return aio_task_give_way(L, t, sleep_k);
  return aio_task_sleep_until(L, t, aio_loop_now(t->fut.loop->core) + delay, sleep_k);
}

void aio_sleep_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"sleep", aio_sleep}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
