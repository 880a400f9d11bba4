/* SPDX-License-Identifier: MIT
 *
 * The class Lock. A freed lock stays free until the first waiter runs, but newcomers stand in line
 * behind it. Invariant: a turn is given only while the lock is free, and at most one at a time. */
#include "bind/lock.h"

#include "bind/condition.h"
#include "bind/error.h"
#include "bind/handle.h"
#include "bind/select.h"

enum { SELF = 1, FN = 2 };

const char aio_lock_mark = 0;

static void pass(aio_line *line) {
  aio_lock *k = AIO_CONTAINER(line, aio_lock, line);
  if (!k->locked && !line->given) aio_line_give(line);
}

aio_lock *aio_lock_new(lua_State *L, aio_state *st) {
  aio_lock *k = aio_object_new(L, st, AIO_REF_LOCK, sizeof *k, AIO_LOCK_UVS);
  k->mark = &aio_lock_mark;
  k->st = st;
  aio_line_init(&k->line, pass);
  return k;
}

void aio_lock_take(lua_State *L, aio_lock *k) {
  const aio_task *t = k->st->current;
  k->locked = true;
  if (++k->last == 0) k->last = 1;
  k->serial = k->last;
  k->owner = t ? t->id : 0;
  k->thread = L;
}

bool aio_lock_try(lua_State *L, aio_lock *k) {
  if (k->locked || !aio_line_idle(&k->line)) return false;
  aio_lock_take(L, k);
  return true;
}

void aio_lock_free(aio_lock *k) {
  k->locked = false;
  k->owner = 0;
  k->thread = NULL;
  aio_line_give(&k->line);
}

/* The lock at slot 1, or that of the condition there. [may throw] */
static aio_lock *self(lua_State *L) {
  aio_lock *k = aio_marked_test(L, SELF, &aio_lock_mark, sizeof *k);
  if (k) return k;
  aio_condition *c = aio_marked_test(L, SELF, &aio_condition_mark, sizeof *c);
  return c ? c->lock : aio_object_check(L, aio_state_up(L), SELF, AIO_REF_LOCK);
}

/* The same in a continuation: slot 1 has been checked. */
static aio_lock *self_again(lua_State *L) {
  void *p = lua_touserdata(L, SELF);
  return *(const void **)p == &aio_lock_mark ? p : ((aio_condition *)p)->lock;
}

/* Waits in the lock's line; a condition's lock stands in its user value. */
static int wait_turn(lua_State *L, aio_lock *k, lua_KFunction resumed) {
  if (lua_touserdata(L, SELF) == k) return aio_line_wait(L, k->st, &k->line, SELF, resumed);
  lua_getiuservalue(L, SELF, AIO_CONDITION_UV_LOCK);
  lua_insert(L, SELF);
  aio_task *t = aio_line_enter(L, k->st, &k->line, SELF);
  lua_remove(L, SELF);
  return aio_line_suspend(L, t, &k->line, SELF, resumed);
}

static int acquire_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_lock *k = self_again(L);
  if (!aio_line_resumed(L, ctx, &k->line)) return aio_suspend_again(L, ctx, acquire_k);
  aio_lock_take(L, k);
  return 1;
}

/* lock:acquire(): the object, for <close>. [may yield] */
static int lock_acquire(lua_State *L) {
  aio_lock *k = self(L);
  if (lua_gettop(L) != SELF) lua_settop(L, SELF);
  if (aio_lock_try(L, k)) return 1;
  return wait_turn(L, k, acquire_k);
}

static int lock_release(lua_State *L) {
  aio_lock *k = self(L);
  if (!k->locked)
    return aio_error_state(L, k->st, AIO_E_RUNTIME,
                           "release of a lock that is not held; release once for each acquire");
  aio_lock_free(k);
  return 0;
}

static int lock_locked(lua_State *L) {
  lua_pushboolean(L, self(L)->locked);
  return 1;
}

/* Is the hold that stands now the one that this scope took? A scope in another coroutine of the
 * task, or one that is closed from outside, has at least one of both in common. */
static bool same_hold(lua_State *L, const aio_lock *k, uint32_t expected) {
  if (!k->locked) return false;
  if (expected) return k->serial == expected;
  const aio_task *t = k->st->current;
  return k->thread == L || (t && k->owner == t->id);
}

/* The end of a scope. */
static int lock_close(lua_State *L) {
  aio_lock *k = self(L);
  uint32_t expected = k->expected;
  k->expected = 0;
  if (same_hold(L, k, expected)) {
    aio_lock_free(k);
    return 0;
  }
  if (!lua_isnoneornil(L, 2)) return 0; /* the error of the block says more */
  const char *name = lua_touserdata(L, SELF) == k ? "lock" : "condition";
  return aio_error_state(L, k->st, AIO_E_RUNTIME,
                         "the %s of this scope was not acquired; write local _ <close> = "
                         "%s:acquire(), and let the scope release it",
                         name, name);
}

static int with_done(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  self_again(L)->expected = (uint32_t)ctx;
  lua_closeslot(L, SELF);
  return lua_gettop(L) - SELF;
}

static int with_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_lock *k = self_again(L);
  if (!aio_line_resumed(L, ctx, &k->line)) return aio_suspend_again(L, ctx, with_k);
  aio_lock_take(L, k);
  return aio_line_with(L, (lua_KContext)k->serial, with_done);
}

/* lock:with(fn, ...): calls fn(...) while the lock is held; its results. [may yield] */
static int lock_with(lua_State *L) {
  aio_lock *k = self(L);
  luaL_argexpected(L, aio_handle_callable(L, FN), FN, "function");
  if (aio_lock_try(L, k)) return aio_line_with(L, (lua_KContext)k->serial, with_done);
  return wait_turn(L, k, with_k);
}

static int lock_tostring(lua_State *L) {
  const aio_lock *k = self(L);
  lua_pushfstring(L, "Lock: %p (%s, %d waiting)", k, k->locked ? "locked" : "free",
                  aio_line_count(&k->line));
  return 1;
}

/* aio.Lock() */
static int lock_new(lua_State *L) {
  aio_lock_new(L, aio_state_up(L));
  return 1;
}

/* core._holder(lock or condition): the number of the task that holds it, or nil. */
static int holder(lua_State *L) {
  const aio_lock *k = self(L);
  if (!k->locked || !k->owner) return 0;
  lua_pushinteger(L, k->owner);
  return 1;
}

/* ---- {lock, "acquire"} ---- */

static void clause_check(lua_State *L, aio_state *st, int obj) {
  aio_object_check(L, st, obj, AIO_REF_LOCK);
}

static int clause_take(lua_State *L, aio_state *st, int obj, bool turn) {
  (void)st;
  aio_lock *k = lua_touserdata(L, obj);
  if (turn) {
    aio_line_use(&k->line);
    aio_lock_take(L, k);
  } else if (!aio_lock_try(L, k)) {
    return -1;
  }
  lua_pushvalue(L, obj);
  return 1;
}

static const char *clause_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  aio_lock *k = lua_touserdata(L, obj);
  if (!aio_line_bind(L, &k->line, obj, t->fut.loop)) return AIO_OTHER_LOOP;
  aio_list_push(&k->line.waiters, &w->node.link);
  return NULL;
}

static void clause_hand_back(void *obj) {
  aio_line_hand_back(&((aio_lock *)obj)->line);
}

const luaL_Reg aio_lock_methods[] = {{"acquire", lock_acquire}, {"release", lock_release},
                                     {"locked", lock_locked},   {"with", lock_with},
                                     {"__close", lock_close},   {NULL, NULL}};

void aio_lock_open(lua_State *L, aio_state *st) {
  static const aio_clause_ops acquire = {clause_check, clause_take, clause_arm, clause_hand_back};
  static const luaL_Reg meta[] = {{"__tostring", lock_tostring}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_holder", holder}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_LOCK, "Lock", aio_lock_methods, meta);
  aio_class_selectable(L, "acquire", &acquire);
  aio_class_publish(L, st, "Lock", lock_new);
  aio_setfuncs(L, st, fns);
}
