/* SPDX-License-Identifier: MIT
 *
 * The class Event: a flag that tasks wait for. Who was woken has seen it set, even when it is
 * cleared before that one runs. */
#include "bind/line.h"
#include "bind/module.h"
#include "bind/select.h"

enum { SELF = 1, EVENT_UVS = 1 };

static const char mark = 0;

typedef struct event {
  const void *mark; /* see aio_marked_test */
  aio_line line;
  bool set;
} event;

static event *self(lua_State *L) {
  event *e = aio_marked_test(L, SELF, &mark, sizeof *e);
  return e ? e : aio_object_check(L, aio_state_up(L), SELF, AIO_REF_EVENT);
}

/* aio.Event() */
static int event_new(lua_State *L) {
  event *e = aio_object_new(L, aio_state_up(L), AIO_REF_EVENT, sizeof *e, EVENT_UVS);
  e->mark = &mark;
  aio_line_init(&e->line, NULL);
  return 1;
}

static int event_is_set(lua_State *L) {
  lua_pushboolean(L, self(L)->set);
  return 1;
}

static int event_set(lua_State *L) {
  event *e = self(L);
  if (e->set) return 0;
  e->set = true;
  aio_line_give_all(&e->line);
  return 0;
}

static int event_clear(lua_State *L) {
  self(L)->set = false;
  return 0;
}

static int wait_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_line_resumed(L, ctx, &self(L)->line)) return aio_suspend_again(L, ctx, wait_k);
  lua_pushboolean(L, 1);
  return 1;
}

/* event:wait(): true, once it is set. [may yield] */
static int event_wait(lua_State *L) {
  event *e = self(L);
  lua_settop(L, SELF);
  if (!e->set) return aio_line_wait(L, aio_state_up(L), &e->line, SELF, wait_k);
  lua_pushboolean(L, 1);
  return 1;
}

static int event_tostring(lua_State *L) {
  const event *e = self(L);
  lua_pushfstring(L, "Event: %p (%s, %d waiting)", e, e->set ? "set" : "not set",
                  aio_line_count(&e->line));
  return 1;
}

/* ---- {event} ---- */

static void clause_check(lua_State *L, aio_state *st, int obj) {
  aio_object_check(L, st, obj, AIO_REF_EVENT);
}

static int clause_take(lua_State *L, aio_state *st, int obj, bool turn) {
  (void)st;
  event *e = lua_touserdata(L, obj);
  if (turn) aio_line_use(&e->line);
  if (!turn && !e->set) return -1;
  lua_pushboolean(L, 1);
  return 1;
}

static const char *clause_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  event *e = lua_touserdata(L, obj);
  if (!aio_line_bind(L, &e->line, obj, t->fut.loop)) return AIO_OTHER_LOOP;
  aio_list_push(&e->line.waiters, &w->node.link);
  return NULL;
}

static void clause_hand_back(void *obj) {
  aio_line_hand_back(&((event *)obj)->line);
}

void aio_event_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"is_set", event_is_set},
                                     {"set", event_set},
                                     {"clear", event_clear},
                                     {"wait", event_wait},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__tostring", event_tostring}, {NULL, NULL}};
  static const aio_clause_ops wait = {clause_check, clause_take, clause_arm, clause_hand_back};
  aio_class_open(L, st, AIO_REF_EVENT, "Event", methods, meta);
  aio_class_selectable(L, "", &wait);
  aio_class_selectable(L, "wait", &wait);
  aio_class_publish(L, st, "Event", event_new);
}
