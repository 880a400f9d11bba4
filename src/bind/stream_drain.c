/* SPDX-License-Identifier: MIT
 *
 * core._drain: waits for a peer that reads slowly, but not for one that does not read at all.
 * Called by lua/aio/http. The limit rides on the task's wait: no timer is made for it. */
#include <math.h>

#include "bind/stream.h"

enum { SELF = 1, SECONDS = 2, TAKEN = 3, LOOKS = 4 };
enum { LOOKS_MOST = 4 }; /* the queue is looked at so often within the limit */

static void expire(aio_timer *timer) {
  aio_wait *w = AIO_CONTAINER(timer, aio_wait, timer);
  aio_wake(aio_task_of_wait(w)->fut.loop->core, w);
}

static int drain_k(lua_State *L, int status, lua_KContext ctx);

/* Notes what was taken and waits for more; `looks` have seen no change. [may throw, may yield] */
static int wait_below(lua_State *L, const aio_stream_ud *u, aio_task *t, int looks) {
  aio_stream *s = u->s;
  aio_loop *l = t->fut.loop->core;
  lua_Number seconds = lua_tonumber(L, SECONDS);
  lua_settop(L, SECONDS);
  lua_pushinteger(L, (lua_Integer)s->out.taken);
  lua_pushinteger(L, looks);
  t->wait.target = NULL;
  if (isfinite(seconds) && !aio_task_cancel_due(t)) {
    t->wait.timer.fire = expire;
    if (!aio_loop_timer_start(l, &t->wait.timer, aio_loop_now(l) + seconds / LOOKS_MOST))
      return luaL_error(L, "not enough memory");
  }
  return aio_task_suspend(L, t, &s->writers, NULL, drain_k);
}

static int drain_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = aio_task_resumed(L, ctx);
  if (!t) return aio_suspend_again(L, ctx, drain_k);
  aio_stream_ud *u = aio_stream_self_again(L);
  aio_stream_check_sent(L, u);
  size_t now = u->s->out.total; /* others may have added to it */
  bool none = u->s->out.taken == (uint64_t)lua_tointeger(L, TAKEN);
  int looks = none ? (int)lua_tointeger(L, LOOKS) + 1 : 0;
  if (now > u->s->low && looks < LOOKS_MOST) return wait_below(L, u, t, looks);
  lua_pushboolean(L, now <= u->s->low);
  return 1;
}

/* core._drain(stream, seconds): waits until the send queue is at its low mark: true. False when so
 * many seconds (at most a quarter more) pass in which nothing was sent. Raises as stream:drain
 * does. [may yield] */
static int drain(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  lua_Number seconds = luaL_checknumber(L, SECONDS);
  luaL_argcheck(L, !isnan(seconds), SECONDS, "a number of seconds expected, got nan");
  aio_stream_check_sent(L, u);
  lua_settop(L, SECONDS);
  if (u->s->out.total > u->s->low)
    return wait_below(L, u, aio_task_waiter_in(L, u->s->loop, SELF), 0);
  lua_pushboolean(L, true);
  return 1;
}

void aio_stream_drain_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_drain", drain}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
