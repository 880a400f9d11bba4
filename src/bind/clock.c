/* SPDX-License-Identifier: MIT
 *
 * The virtual clock as aio.testing sees it. Invariant: the clock's memory is a userdata that the
 * loop's own table keeps, so it lives as long as the loop. */
#include "core/clock_virtual.h"

#include <math.h>

#include "bind/lloop.h"
#include "bind/module.h"

/* core._virtual_clock(loop): gives a new loop a virtual clock. */
static int clock_start(lua_State *L) {
  aio_lloop *l = aio_lloop_check(L, aio_state_up(L), 1);
  if (l->running || aio_heap_top(&l->core->timers))
    return luaL_error(L, "a virtual clock is for a new loop");
  lua_getiuservalue(L, 1, AIO_LOOP_UV_FIELDS);
  aio_clock_virtual *c = lua_newuserdatauv(L, sizeof *c, 0);
  lua_setfield(L, -2, "virtual_clock");
  aio_clock_virtual_start(l->core, c);
  return 0;
}

/* core._has_virtual_clock(loop) */
static int clock_is_virtual(lua_State *L) {
  const aio_lloop *l = aio_lloop_check(L, aio_state_up(L), 1);
  lua_pushboolean(L, aio_clock_virtual_of(l->core) != NULL);
  return 1;
}

/* core._advance_clock(loop, s): moves the clock; timers that are due fire on the next turn. */
static int clock_advance(lua_State *L) {
  const aio_lloop *l = aio_lloop_check(L, aio_state_up(L), 1);
  lua_Number s = luaL_checknumber(L, 2);
  luaL_argcheck(L, s >= 0 && isfinite(s), 2, "a finite number of seconds, not negative, expected");
  aio_clock_virtual *c = aio_clock_virtual_of(l->core);
  if (c) c->now += s;
  return 0;
}

static int blocked_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state != AIO_IDLE) return aio_suspend_again(L, ctx, blocked_k);
  aio_clock_virtual_release(t->fut.loop->core);
  aio_task_resumed(L, ctx); /* raises a cancellation */
  return 0;
}

/* core._wait_all_blocked(): waits until no other task can run without the clock going on; the loop
 * has a virtual clock. [may yield] */
static int wait_all_blocked(lua_State *L) {
  aio_task *t = aio_task_waiter(L, aio_state_up(L));
  aio_loop *core = t->fut.loop->core;
  aio_clock_virtual *c = aio_clock_virtual_of(core);
  if (!c) return luaL_error(L, "this loop has no virtual clock");
  aio_clock_virtual_hold(core);
  t->wait.target = NULL;
  return aio_task_suspend(L, t, &c->blocked, NULL, blocked_k);
}

void aio_clock_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_virtual_clock", clock_start},
                                 {"_has_virtual_clock", clock_is_virtual},
                                 {"_advance_clock", clock_advance},
                                 {"_wait_all_blocked", wait_all_blocked},
                                 {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
