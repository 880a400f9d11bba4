/* SPDX-License-Identifier: MIT
 *
 * Waiting one's turn, for every object of synchronisation. Called by lock.c, event.c, condition.c,
 * semaphore.c, queue.c and select.c. Invariant: a waiting task's `wait.cancel` tells whether it was
 * given a turn, so that one who is cancelled or dies knows what to hand back. */
#include "bind/line.h"

#include "bind/error.h"
#include "bind/select.h"

/* In `wait.cancel`: stands in a line. A cancellation just takes it out. */
static bool waiting(aio_wait *w) {
  (void)w;
  return false;
}

/* In `wait.cancel`: was given a turn, and has not run since. Never called: it is ready. */
static bool given(aio_wait *w) {
  (void)w;
  return true;
}

void aio_line_init(aio_line *line, void (*pass)(aio_line *)) {
  aio_link_init(&line->waiters);
  line->pass = pass;
}

bool aio_line_bind(lua_State *L, aio_line *line, int obj, aio_lloop *loop) {
  if (line->loop == loop) return true;
  lua_getiuservalue(L, obj, AIO_LINE_UV_LOOP);
  const void *bound = lua_touserdata(L, -1);
  lua_pop(L, 1);
  if (bound && bound != loop) return false;
  aio_lloop_push(L, loop);
  lua_setiuservalue(L, obj, AIO_LINE_UV_LOOP);
  line->loop = loop;
  return true;
}

aio_task *aio_line_enter(lua_State *L, aio_state *st, aio_line *line, int obj) {
  aio_task *t = aio_task_waiter(L, st);
  if (line->loop != t->fut.loop && !aio_line_bind(L, line, obj, t->fut.loop))
    aio_error_state(L, st, AIO_E_RUNTIME, AIO_OTHER_LOOP, luaL_tolstring(L, obj, NULL));
  return t;
}

int aio_line_suspend(lua_State *L, aio_task *t, aio_line *line, int obj, lua_KFunction k) {
  if (t->held != line) {
    aio_task_hold(L, t, obj);
    t->held = line; /* stands for its object, without having to ask Lua for that */
  }
  t->wait.target = line;
  return aio_task_suspend(L, t, &line->waiters, waiting, k);
}

int aio_line_wait(lua_State *L, aio_state *st, aio_line *line, int obj, lua_KFunction k) {
  return aio_line_suspend(L, aio_line_enter(L, st, line, obj), line, obj, k);
}

bool aio_line_turn(aio_task *t, aio_line *line) {
  if (t->wait.cancel != given) return false;
  t->wait.cancel = NULL;
  line->given--;
  return true;
}

aio_task *aio_line_resumed(lua_State *L, lua_KContext ctx, aio_line *line) {
  aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state != AIO_IDLE) return NULL;
  bool turn = aio_line_turn(t, line);
  if (!aio_task_cancel_due(t)) return t;
  if (turn && line->pass) line->pass(line);
  aio_task_raise_cancel(L, t);
  return NULL;
}

bool aio_line_give_first(aio_line *line) {
  aio_link *first = aio_list_first(&line->waiters);
  if (!line->loop->core) return false;
  aio_wait *w = aio_wait_of(first);
  if (w->node.kind == AIO_NODE_TASK) w->cancel = given;
  line->given++;
  aio_wake(line->loop->core, w);
  return true;
}

void aio_line_give_all(aio_line *line) {
  while (aio_line_give(line)) {
  }
}

void aio_line_hand_back(aio_line *line) {
  line->given--;
  if (line->pass) line->pass(line);
}

int aio_line_count(const aio_line *line) {
  int n = 0;
  for (const aio_link *p = line->waiters.next; p != &line->waiters; p = p->next) n++;
  return n;
}

void aio_line_abandon(aio_task *t) {
  if (t->wait.cancel == given) aio_line_hand_back(t->wait.target);
  if (t->wait.cancel == aio_select_waiting) aio_select_abandon(t->wait.target);
  t->wait.cancel = NULL;
}

int aio_line_with(lua_State *L, lua_KContext ctx, lua_KFunction done) {
  lua_toclose(L, 1);
  lua_callk(L, lua_gettop(L) - 2, LUA_MULTRET, ctx, done);
  return done(L, LUA_OK, ctx);
}

void aio_class_publish(lua_State *L, aio_state *st, const char *name, lua_CFunction new) {
  const luaL_Reg call[] = {{"__call", new}, {NULL, NULL}};
  lua_createtable(L, 0, 2);
  aio_setfuncs(L, st, call);
  lua_pushfstring(L, "class %s", name);
  lua_setfield(L, -2, "__name");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, name);
}

void aio_class_selectable(lua_State *L, const char *op, const struct aio_clause_ops *ops) {
  if (lua_getfield(L, -1, "__select") == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__select");
  }
  lua_pushlightuserdata(L, (void *)(uintptr_t)ops);
  lua_setfield(L, -2, op);
  lua_pop(L, 1);
}
