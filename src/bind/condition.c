/* SPDX-License-Identifier: MIT
 *
 * The class Condition. `wait` frees the lock, waits to be notified, and takes the lock back before
 * it returns or raises: cancellations that come while it stands in the lock's line are kept until
 * then. `wait_for` is in Lua (aio.condition). Invariant: after `wait` the hold is the one of the
 * scope around it, with its number. */
#include "bind/condition.h"

#include "bind/error.h"

/* Stack of wait: HOLD the number of the hold, LATER what is to be raised at the end (task flags),
 * NOTIFIED whether a notification was received. */
enum { SELF = 1, HOLD, LATER, NOTIFIED, LOCK };

const char aio_condition_mark = 0;

static aio_condition *self(lua_State *L) {
  aio_condition *c = aio_marked_test(L, SELF, &aio_condition_mark, sizeof *c);
  return c ? c : aio_object_check(L, aio_state_up(L), SELF, AIO_REF_CONDITION);
}

static void pass(aio_line *line) {
  aio_line_give(line);
}

/* aio.Condition(lock) */
static int condition_new(lua_State *L) {
  aio_state *st = aio_state_up(L);
  lua_remove(L, 1);
  lua_settop(L, 1);
  aio_lock *k = lua_isnil(L, 1) ? aio_lock_new(L, st) : aio_object_check(L, st, 1, AIO_REF_LOCK);
  int lock = lua_gettop(L);
  aio_condition *c = aio_object_new(L, st, AIO_REF_CONDITION, sizeof *c, AIO_CONDITION_UVS);
  c->mark = &aio_condition_mark;
  aio_line_init(&c->line, pass);
  c->lock = k;
  lua_pushvalue(L, lock);
  lua_setiuservalue(L, -2, AIO_CONDITION_UV_LOCK);
  return 1;
}

/* ---- wait ---- */

/* Takes a pending cancellation off the task, to be raised later. */
static void keep_cancel(lua_State *L, aio_task *t) {
  const int due = AIO_TASK_MUST_CANCEL | AIO_TASK_INJECT;
  lua_pushinteger(L, lua_tointeger(L, LATER) | (t->tflags & due));
  lua_replace(L, LATER);
  t->tflags &= (uint8_t)~due;
}

/* The lock is held again: the end of the wait. */
static int finish(lua_State *L, aio_task *t, aio_condition *c) {
  c->lock->serial = (uint32_t)lua_tointeger(L, HOLD);
  lua_Integer later = lua_tointeger(L, LATER);
  if (later) {
    if (lua_toboolean(L, NOTIFIED)) aio_line_give(&c->line); /* one that can use it */
    t->tflags |= (uint8_t)later;
    return aio_task_raise_cancel(L, t);
  }
  lua_pushboolean(L, 1);
  return 1;
}

static int relock(lua_State *L, aio_task *t, aio_condition *c);

static int relock_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state != AIO_IDLE) return aio_suspend_again(L, ctx, relock_k);
  aio_condition *c = self(L);
  aio_line *line = &c->lock->line;
  bool turn = aio_line_turn(t, line);
  if (turn && !aio_task_cancel_due(t)) {
    aio_lock_take(L, c->lock);
    return finish(L, t, c);
  }
  if (turn) line->pass(line);
  return relock(L, t, c);
}

/* Takes the lock back, however often the task is cancelled meanwhile. */
static int relock(lua_State *L, aio_task *t, aio_condition *c) {
  keep_cancel(L, t);
  if (aio_lock_try(L, c->lock)) return finish(L, t, c);
  return aio_line_suspend(L, t, &c->lock->line, SELF, relock_k);
}

static int wait_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state != AIO_IDLE) return aio_suspend_again(L, ctx, wait_k);
  aio_condition *c = self(L);
  lua_pushboolean(L, aio_line_turn(t, &c->line));
  lua_replace(L, NOTIFIED);
  return relock(L, t, c);
}

static void check_locked(lua_State *L, aio_condition *c, const char *what) {
  if (!c->lock->locked)
    aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                    "%s needs the condition's lock; acquire it before: local _ <close> = "
                    "condition:acquire()",
                    what);
}

/* condition:wait(): true, once notified; the lock is held again. [may yield] */
static int condition_wait(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_condition *c = self(L);
  lua_settop(L, SELF);
  check_locked(L, c, "wait");
  lua_pushinteger(L, c->lock->serial);
  lua_pushinteger(L, 0);
  lua_pushboolean(L, 0);
  lua_getiuservalue(L, SELF, AIO_CONDITION_UV_LOCK);
  aio_line_enter(L, st, &c->lock->line, LOCK);
  aio_task *t = aio_line_enter(L, st, &c->line, SELF);
  lua_settop(L, NOTIFIED);
  aio_lock_free(c->lock);
  return aio_line_suspend(L, t, &c->line, SELF, wait_k);
}

/* ---- notify ---- */

static int condition_notify(lua_State *L) {
  aio_condition *c = self(L);
  lua_Integer n = luaL_optinteger(L, 2, 1);
  check_locked(L, c, "notify");
  for (; n > 0 && aio_line_give(&c->line); n--) {
  }
  return 0;
}

static int condition_notify_all(lua_State *L) {
  aio_condition *c = self(L);
  check_locked(L, c, "notify_all");
  aio_line_give_all(&c->line);
  return 0;
}

static int condition_tostring(lua_State *L) {
  const aio_condition *c = self(L);
  lua_pushfstring(L, "Condition: %p (%s, %d waiting)", c, c->lock->locked ? "locked" : "free",
                  aio_line_count(&c->line));
  return 1;
}

void aio_condition_open(lua_State *L, aio_state *st) {
  static const luaL_Reg own[] = {{"wait", condition_wait},
                                 {"notify", condition_notify},
                                 {"notify_all", condition_notify_all},
                                 {"__tostring", condition_tostring},
                                 {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_CONDITION, "Condition", aio_lock_methods, own);
  aio_class_publish(L, st, "Condition", condition_new);
}
