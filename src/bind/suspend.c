/* SPDX-License-Identifier: MIT
 *
 * How a task waits: the checks before, the yield, and what a continuation does first. Every
 * waiting C function goes through here. Invariant: a task that is suspended by us has a wait that
 * is not IDLE; so a yield with an IDLE wait is the user's own. */
#include <string.h>

#include "bind/error.h"
#include "bind/lloop.h"
#include "bind/select.h"
#include "bind/task.h"

bool aio_in_finalizer(lua_State *L) {
  lua_Debug ar;
  for (int level = 0; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "n", &ar);
    if (ar.name && *ar.namewhat == 'm' && strcmp(ar.name, "__gc") == 0) return true;
  }
  return false;
}

/* An error in __gc is only a warning in Lua, so the exception handler hears of it too. */
static int refuse_finalizer(lua_State *L, aio_state *st) {
  aio_error_new(L, st, AIO_E_RUNTIME,
                "cannot wait inside a __gc metamethod; start a task with create_task instead");
  aio_error_where(L, st);
  lua_setfield(L, -2, "where");
  aio_lloop *l = st->running;
  if (l) {
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "exception");
    lua_pushliteral(L, "callback_error");
    lua_setfield(L, -2, "kind");
    lua_pushliteral(L, "a finalizer tried to wait");
    lua_setfield(L, -2, "message");
    aio_lloop_report(L, l);
  }
  return lua_error(L);
}

/* Says why this code cannot wait. */
static int refuse(lua_State *L, aio_state *st) {
  const aio_task *t = st->current;
  if (aio_in_finalizer(L)) return refuse_finalizer(L, st);
  if (!t)
    return aio_error_state(L, st, AIO_E_RUNTIME, "%s",
                           st->handle ? "a callback cannot wait; start a task with "
                                        "aio.create_task(fn, ...) and wait in it"
                                      : "cannot wait outside a task; use aio.run(fn, ...), or "
                                        "aio.create_task(fn, ...) in a running loop");
  if (st->atomic || t->atomic)
    return aio_error_state(L, st, AIO_E_RUNTIME,
                           "cannot wait inside aio.atomic (or a compare, "
                           "__lt, __tostring or task factory)");
  if (t->top && L != t->top)
    return aio_error_state(L, st, AIO_E_RUNTIME,
                           "cannot wait inside a plain coroutine: its consumer would take the "
                           "wait for a yield; use aio.coroutine in place of coroutine");
  return aio_error_state(L, st, AIO_E_RUNTIME,
                         "cannot wait here: Lua cannot yield inside a C function such as "
                         "string.gsub, table.sort, require, tostring or coroutine.close; do the "
                         "waiting before or after it");
}

aio_task *aio_task_waiter(lua_State *L, aio_state *st) {
  aio_task *t = st->current;
  if (!t || L != t->top || t->atomic || st->atomic || !lua_isyieldable(L)) refuse(L, st);
  return t;
}

aio_task *aio_task_waiter_in(lua_State *L, const aio_loop *core, int obj) {
  aio_state *st = aio_state_up(L);
  aio_task *t = aio_task_waiter(L, st);
  if (core && t->fut.loop->core != core) /* NULL: it is closed, so there is nothing to wait for */
    aio_error_state(L, st, AIO_E_RUNTIME, AIO_FOREIGN_LOOP, luaL_tolstring(L, obj, NULL));
  return t;
}

void aio_task_hold(lua_State *L, aio_task *t, int idx) {
  const void *p = lua_topointer(L, idx);
  if (t->held == p) return; /* a task often waits for the same thing again */
  t->held = p;
  idx = lua_absindex(L, idx);
  aio_task_push(L, t);
  lua_pushvalue(L, idx);
  lua_setiuservalue(L, -2, AIO_UV_RESULT);
  lua_pop(L, 1);
}

static int yield(lua_State *L, aio_task *t, lua_KFunction k) {
  t->fut.top = (uint32_t)lua_gettop(L);
  return lua_yieldk(L, 0, (lua_KContext)t, k);
}

int aio_task_suspend(lua_State *L, aio_task *t, aio_link *list, bool (*cancel)(aio_wait *),
                     lua_KFunction k) {
  /* a cancel that arrived while the task ran is delivered at its next wait, without waiting */
  if (t->tflags & (AIO_TASK_MUST_CANCEL | AIO_TASK_INJECT)) {
    t->wait.target = NULL;
    t->wait.cancel = NULL;
    t->wait.node.state = AIO_PENDING;
    t->tflags |= AIO_TASK_WITHDRAWN;
    aio_wake(t->fut.loop->core, &t->wait);
    return yield(L, t, k);
  }
  t->wait.cancel = cancel;
  t->wait.node.state = AIO_PENDING;
  if (list) aio_list_push(list, &t->wait.node.link);
  return yield(L, t, k);
}

/* The wait takes its turn among what is ready while it is still pending; the scheduler then wakes
 * it. So callbacks that are due at the same time come before a task that slept, as in asyncio. */
static void end_sleep(aio_timer *timer) {
  aio_wait *w = AIO_CONTAINER(timer, aio_wait, timer);
  aio_list_push(&aio_task_of_wait(w)->fut.loop->core->ready, &w->node.link);
}

int aio_task_sleep_until(lua_State *L, aio_task *t, double when, lua_KFunction k) {
  if (t->tflags & (AIO_TASK_MUST_CANCEL | AIO_TASK_INJECT))
    return aio_task_suspend(L, t, NULL, NULL, k);
  t->wait.timer.fire = end_sleep;
  if (!aio_loop_timer_start(t->fut.loop->core, &t->wait.timer, when))
    return luaL_error(L, "not enough memory");
  return aio_task_suspend(L, t, NULL, NULL, k);
}

int aio_task_give_way(lua_State *L, aio_task *t, lua_KFunction k) {
  t->wait.cancel = NULL;
  t->wait.target = NULL;
  aio_loop_ready(t->fut.loop->core, &t->wait.node);
  return yield(L, t, k);
}

bool aio_task_cancel_due(const aio_task *t) {
  return (t->tflags & (AIO_TASK_MUST_CANCEL | AIO_TASK_INJECT)) != 0;
}

/* Pushes EXTRA[key] of the task and clears it. */
static void take_extra(lua_State *L, aio_task *t, const char *key) {
  aio_task_push(L, t);
  aio_extra_get(L, -1, key);
  lua_getiuservalue(L, -2, AIO_UV_EXTRA);
  lua_pushnil(L);
  lua_setfield(L, -2, key);
  lua_pop(L, 1);
  lua_replace(L, -2);
}

int aio_task_raise_cancel(lua_State *L, aio_task *t) {
  if (t->tflags & AIO_TASK_INJECT) {
    t->tflags &= (uint8_t)~AIO_TASK_INJECT;
    take_extra(L, t, "inject");
    return lua_error(L);
  }
  t->tflags &= (uint8_t)~AIO_TASK_MUST_CANCEL;
  aio_error_new(L, t->fut.loop->st, AIO_E_CANCELLED, NULL);
  if (t->tflags & AIO_TASK_MESSAGE) {
    t->tflags &= (uint8_t)~AIO_TASK_MESSAGE;
    take_extra(L, t, "cancel_message");
    lua_setfield(L, -2, "message");
  }
  return lua_error(L);
}

aio_task *aio_task_resumed(lua_State *L, lua_KContext ctx) {
  aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state != AIO_IDLE) return NULL;
  if (t->tflags & (AIO_TASK_MUST_CANCEL | AIO_TASK_INJECT)) aio_task_raise_cancel(L, t);
  return t;
}
