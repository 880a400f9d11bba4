/* SPDX-License-Identifier: MIT
 *
 * The classes Semaphore and BoundedSemaphore. Giving a turn takes one off the value at once, so
 * the slot is the waiter's before it runs. Invariant: when there is a slot and somebody in line, a
 * turn is on its way, and who has it gives the slot on. */
#include "bind/error.h"
#include "bind/handle.h"
#include "bind/line.h"
#include "bind/module.h"
#include "bind/select.h"

enum { SELF = 1, FN = 2, SEMAPHORE_UVS = 1 };

static const char mark = 0;

typedef struct semaphore {
  const void *mark; /* see aio_marked_test */
  aio_line line;
  lua_Integer value;
  lua_Integer bound; /* a BoundedSemaphore's greatest value, else < 0 */
  lua_Integer open;  /* acquires that no end of a scope has answered; `release` leaves it alone,
                        because it may as well be there to add a slot */
} semaphore;

/* Gives turns as long as there are slots and waiters. */
static void give_slots(semaphore *s) {
  while (s->value > 0 && aio_line_give(&s->line)) s->value--;
}

static void pass(aio_line *line) {
  semaphore *s = AIO_CONTAINER(line, semaphore, line);
  s->value++;
  give_slots(s);
}

static semaphore *check(lua_State *L, const aio_state *st, int arg) {
  semaphore *s = aio_marked_test(L, arg, &mark, sizeof *s);
  return s ? s : aio_object_check(L, st, arg, AIO_REF_SEMAPHORE);
}

static semaphore *self(lua_State *L, const aio_state *st) {
  return check(L, st, SELF);
}

static semaphore *make(lua_State *L, enum aio_ref class) {
  aio_state *st = aio_state_up(L);
  lua_remove(L, 1);
  lua_Integer value = luaL_optinteger(L, 1, 1);
  luaL_argcheck(L, value >= 0, 1, "a number of slots, not negative, expected");
  semaphore *s = aio_object_new(L, st, class, sizeof *s, SEMAPHORE_UVS);
  aio_line_init(&s->line, pass);
  s->mark = &mark;
  s->value = value;
  s->bound = -1;
  return s;
}

/* aio.Semaphore(n) */
static int semaphore_new(lua_State *L) {
  make(L, AIO_REF_SEMAPHORE);
  return 1;
}

/* aio.BoundedSemaphore(n) */
static int bounded_new(lua_State *L) {
  semaphore *s = make(L, AIO_REF_BOUNDED_SEMAPHORE);
  s->bound = s->value;
  return 1;
}

static bool is_locked(const semaphore *s) {
  return s->value == 0 || !aio_line_idle(&s->line);
}

static bool try(semaphore *s) {
  if (is_locked(s)) return false;
  s->value--;
  s->open++;
  return true;
}

/* The turn of a waiter that runs again is used. */
static void take_turn(semaphore *s) {
  s->open++;
  give_slots(s);
}

static int semaphore_locked(lua_State *L) {
  lua_pushboolean(L, is_locked(self(L, aio_state_up(L))));
  return 1;
}

static int acquire_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  semaphore *s = self(L, aio_state_up(L));
  if (!aio_line_resumed(L, ctx, &s->line)) return aio_suspend_again(L, ctx, acquire_k);
  take_turn(s);
  return 1;
}

/* semaphore:acquire(): the object, for <close>. [may yield] */
static int semaphore_acquire(lua_State *L) {
  aio_state *st = aio_state_up(L);
  semaphore *s = self(L, st);
  lua_settop(L, SELF);
  if (try(s)) return 1;
  return aio_line_wait(L, st, &s->line, SELF, acquire_k);
}

static void give_back(semaphore *s) {
  s->value++;
  if (aio_line_give(&s->line)) s->value--;
}

static int semaphore_release(lua_State *L) {
  aio_state *st = aio_state_up(L);
  semaphore *s = self(L, st);
  if (s->bound >= 0 && s->value >= s->bound)
    return aio_error_state(L, st, AIO_E_RUNTIME,
                           "BoundedSemaphore released too often; release once for each acquire");
  if (s->value == LUA_MAXINTEGER)
    return aio_error_state(L, st, AIO_E_RUNTIME, "Semaphore released too often");
  give_back(s);
  return 0;
}

/* The end of a scope, also one that ends with an error. Without a slot to give back it changes
 * nothing, and lets the error of the block pass, which says more. */
static int semaphore_close(lua_State *L) {
  aio_state *st = aio_state_up(L);
  semaphore *s = self(L, st);
  lua_Integer most = s->bound < 0 ? LUA_MAXINTEGER : s->bound;
  if (s->open > 0 && s->value < most) {
    s->open--;
    give_back(s);
    return 0;
  }
  if (!lua_isnoneornil(L, 2)) return 0;
  return aio_error_state(L, st, AIO_E_RUNTIME,
                         "the semaphore of this scope was not acquired; write local _ <close> = "
                         "sem:acquire(), and let the scope release it");
}

static int with_done(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  (void)ctx;
  lua_closeslot(L, SELF);
  return lua_gettop(L) - SELF;
}

static int with_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  semaphore *s = self(L, aio_state_up(L));
  if (!aio_line_resumed(L, ctx, &s->line)) return aio_suspend_again(L, ctx, with_k);
  take_turn(s);
  return aio_line_with(L, 0, with_done);
}

/* semaphore:with(fn, ...): calls fn(...) with a slot; its results. [may yield] */
static int semaphore_with(lua_State *L) {
  aio_state *st = aio_state_up(L);
  semaphore *s = self(L, st);
  luaL_argexpected(L, aio_handle_callable(L, FN), FN, "function");
  if (try(s)) return aio_line_with(L, 0, with_done);
  return aio_line_wait(L, st, &s->line, SELF, with_k);
}

static int semaphore_tostring(lua_State *L) {
  const semaphore *s = self(L, aio_state_up(L));
  lua_pushfstring(L, "%s: %p (value %I, %d waiting)",
                  s->bound < 0 ? "Semaphore" : "BoundedSemaphore", s, s->value,
                  aio_line_count(&s->line));
  return 1;
}

/* ---- {semaphore, "acquire"} ---- */

static void clause_check(lua_State *L, aio_state *st, int obj) {
  check(L, st, obj);
}

static int clause_take(lua_State *L, aio_state *st, int obj, bool turn) {
  (void)st;
  semaphore *s = lua_touserdata(L, obj);
  if (turn) {
    aio_line_use(&s->line);
    take_turn(s);
  } else if (!try(s)) {
    return -1;
  }
  lua_pushvalue(L, obj);
  return 1;
}

static const char *clause_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  semaphore *s = lua_touserdata(L, obj);
  if (!aio_line_bind(L, &s->line, obj, t->fut.loop)) return AIO_OTHER_LOOP;
  aio_list_push(&s->line.waiters, &w->node.link);
  return NULL;
}

static void clause_hand_back(void *obj) {
  aio_line_hand_back(&((semaphore *)obj)->line);
}

void aio_semaphore_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"acquire", semaphore_acquire},
                                     {"release", semaphore_release},
                                     {"locked", semaphore_locked},
                                     {"with", semaphore_with},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {
      {"__close", semaphore_close}, {"__tostring", semaphore_tostring}, {NULL, NULL}};
  static const aio_clause_ops acquire = {clause_check, clause_take, clause_arm, clause_hand_back};
  aio_class_open(L, st, AIO_REF_SEMAPHORE, "Semaphore", methods, meta);
  aio_class_selectable(L, "acquire", &acquire);
  aio_class_publish(L, st, "Semaphore", semaphore_new);
  aio_class_open(L, st, AIO_REF_BOUNDED_SEMAPHORE, "BoundedSemaphore", methods, meta);
  aio_class_selectable(L, "acquire", &acquire);
  aio_class_publish(L, st, "BoundedSemaphore", bounded_new);
}
