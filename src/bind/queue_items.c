/* SPDX-License-Identifier: MIT
 *
 * Where the items of a queue are: a Lua table in a user value, used as a ring, a stack or (by
 * functions of aio.priority) a heap. Called by queue.c. Invariant: the slots 1 to `room` of a ring
 * or stack are in the array part of its table, so writing to them never allocates. */
#include "bind/queue.h"

#include <string.h>

#include "bind/error.h"

#ifdef AIO_HOSTILE
enum { FIRST_ROOM = 1, KEPT_ROOM = 2 };
#else
enum { FIRST_ROOM = 8, KEPT_ROOM = 1024 };
#endif

void aio_items_new(lua_State *L, aio_queue *q) {
  q->room = FIRST_ROOM;
  lua_createtable(L, q->kind == AIO_QUEUE_PRIORITY ? 0 : FIRST_ROOM, 0);
}

/* Moves the items to a table of `room` slots. False when a finalizer, which may run while the table
 * is made, has used the queue, so that another size may be right. */
static bool move(lua_State *L, aio_queue *q, int self, size_t room) {
  size_t count = q->count, old = q->room;
  luaL_argcheck(L, room <= INT_MAX, self, "the queue is too long");
  lua_createtable(L, (int)room, 0);
  if (q->count != count || q->room != old) {
    lua_pop(L, 1);
    return false;
  }
  lua_getiuservalue(L, self, AIO_QUEUE_UV_ITEMS);
  for (size_t i = 0; i < count; i++) {
    lua_rawgeti(L, -1, aio_items_slot(q, i));
    lua_rawseti(L, -3, (lua_Integer)i + 1);
  }
  lua_pop(L, 1);
  lua_setiuservalue(L, self, AIO_QUEUE_UV_ITEMS);
  q->room = room;
  q->head = 0;
  return true;
}

void aio_items_reserve(lua_State *L, aio_queue *q, int self) {
  if (q->kind == AIO_QUEUE_PRIORITY) return;
  if (q->count == 0 && q->room > KEPT_ROOM) move(L, q, self, FIRST_ROOM); /* after a flood */
  while (q->count == q->room) move(L, q, self, q->room * 2);
}

/* [may throw] */
static void check_idle(lua_State *L, const aio_state *st, const aio_queue *q) {
  if (q->busy)
    aio_error_state(L, st, AIO_E_RUNTIME,
                    "a compare function cannot use the queue whose items it compares");
}

/* The error at the top comes from the default order of aio.priority, `a < b`: blames the line that
 * used the queue instead. */
static void blame_caller(lua_State *L, const aio_state *st) {
  const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  const char *place = text ? strstr(text, "priority.lua:") : NULL;
  const char *message = place ? strstr(place, ": ") : NULL;
  if (!message) return;
  aio_error_where(L, st);
  lua_pushfstring(L, "%s%s", lua_tostring(L, -1), message);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* Calls a hook with the items, `nargs` values from the top and the compare function; pops the
 * values, pushes its result. The hook raises before it changes anything, or not at all. */
static void call_heap(lua_State *L, aio_queue *q, int self, const char *hook, int nargs) {
  aio_state *st = aio_state_up(L);
  check_idle(L, st, q);
  aio_push_hook(L, st, hook);
  lua_insert(L, -nargs - 1);
  lua_getiuservalue(L, self, AIO_QUEUE_UV_ITEMS);
  lua_insert(L, -nargs - 1);
  lua_getiuservalue(L, self, AIO_QUEUE_UV_COMPARE);
  bool atomic = st->atomic;
  st->atomic = q->busy = true;
  int status = lua_pcall(L, nargs + 2, 1, 0);
  st->atomic = atomic;
  q->busy = false;
  if (status == LUA_OK) return;
  for (int i = 0; i < 2; i++) { /* its turn, if this was one, is of use to somebody else */
    aio_line *line = i ? &q->putters : &q->getters;
    line->pass(line);
  }
  blame_caller(L, st);
  lua_error(L);
}

void aio_items_push(lua_State *L, aio_queue *q, int self, int item) {
  lua_pushvalue(L, item);
  call_heap(L, q, self, "heap_push", 1);
  q->count++;
}

void aio_items_pop(lua_State *L, aio_queue *q, int self) {
  call_heap(L, q, self, "heap_pop", 0);
  q->count--;
}

void aio_items_clear(lua_State *L, aio_queue *q, int self) {
  check_idle(L, aio_state_up(L), q);
  aio_items_new(L, q);
  lua_setiuservalue(L, self, AIO_QUEUE_UV_ITEMS);
  q->head = q->count = 0;
}
