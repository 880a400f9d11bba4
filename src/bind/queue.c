/* SPDX-License-Identifier: MIT
 *
 * The classes Queue, LifoQueue and PriorityQueue. An item or a free place belongs to who comes
 * first: one that was woken and finds it taken waits again, as in asyncio. Invariant: when there
 * are items (places) and somebody in the line of getters (putters), a turn is on its way.
 *
 * `maxsize` is a field, and methods are found without calling a function: queues of one class and
 * size share a metatable, whose __index is a table with that field and the methods. */
#include "bind/queue.h"

#include <string.h>

#include "bind/error.h"
#include "bind/handle.h"
#include "bind/select.h"

enum { SELF = 1, ITEM = 2 };
enum { METHODS = 12 };

static const char mark = 0;

/* ---- objects ---- */

static aio_queue *check(lua_State *L, int arg) {
  aio_queue *q = aio_marked_test(L, arg, &mark, sizeof *q);
  if (!q) luaL_typeerror(L, arg, "Queue");
  return q;
}

static inline aio_queue *self(lua_State *L) {
  aio_queue *q = aio_marked_test(L, SELF, &mark, sizeof *q);
  return q ? q : check(L, SELF);
}

static void pass_getter(aio_line *line) {
  aio_queue *q = AIO_CONTAINER(line, aio_queue, getters);
  if (q->count > 0 || q->shut) aio_line_give(line);
}

static void pass_putter(aio_line *line) {
  aio_queue *q = AIO_CONTAINER(line, aio_queue, putters);
  if (!aio_queue_full(q) || q->shut) aio_line_give(line);
}

/* Pushes a table with the methods of the class and the fields; what else the class has is found
 * in it. */
static void push_index(lua_State *L, int class, const aio_queue *q) {
  lua_createtable(L, 0, METHODS + 1);
  for (lua_pushnil(L); lua_next(L, class);) {
    if (!lua_iscfunction(L, -1)) {
      lua_pop(L, 1);
      continue;
    }
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_pushinteger(L, q->maxsize);
  lua_setfield(L, -2, "maxsize");
  lua_pushvalue(L, class);
  lua_setmetatable(L, -2);
}

/* Pushes the metatable of the queues of a class (at `class`) and size. */
static void push_meta(lua_State *L, const aio_state *st, int class, const aio_queue *q) {
  aio_push_ref(L, st, AIO_REF_QUEUE_METAS);
  lua_pushfstring(L, "%d:%I", (int)q->kind, (LUAI_UACINT)q->maxsize);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 4);
    push_index(L, class, q);
    lua_setfield(L, -2, "__index");
    static const char *const copied[] = {"__name", "__tostring", "__select"};
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++) {
      lua_getfield(L, class, copied[i]);
      lua_setfield(L, -2, copied[i]);
    }
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* Reads compare out of the option table at 2, if there is one. */
static void check_options(lua_State *L, enum aio_queue_kind kind) {
  if (lua_isnil(L, 2)) return;
  luaL_checktype(L, 2, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
    const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    if (kind == AIO_QUEUE_PRIORITY && strcmp(key, "compare") == 0) continue;
    lua_pop(L, 1);
    luaL_argerror(L, 2,
                  lua_pushfstring(L, "unknown option '%s' (there is: %s)",
                                  luaL_tolstring(L, -1, NULL),
                                  kind == AIO_QUEUE_PRIORITY ? "compare" : "none"));
  }
  if (lua_getfield(L, 2, "compare") != LUA_TNIL && !aio_handle_callable(L, -1))
    luaL_argerror(
        L, 2,
        lua_pushfstring(L, "option 'compare': function expected, got %s", luaL_typename(L, -1)));
  lua_replace(L, 2);
}

/* Class(maxsize, opts); the class itself is the first argument of its __call. */
static int make(lua_State *L, enum aio_queue_kind kind, enum aio_ref class) {
  const aio_state *st = aio_state_up(L);
  lua_remove(L, 1);
  if (kind == AIO_QUEUE_PRIORITY && lua_istable(L, 1)) {
    lua_pushnil(L);
    lua_insert(L, 1);
  }
  lua_settop(L, 2);
  lua_Integer maxsize = luaL_optinteger(L, 1, 0);
  check_options(L, kind);
  aio_push_ref(L, st, class);
  aio_queue *q = lua_newuserdatauv(L, sizeof *q, AIO_QUEUE_UVS);
  memset(q, 0, sizeof *q);
  q->mark = &mark;
  q->maxsize = maxsize;
  q->kind = (uint8_t)kind;
  aio_line_init(&q->getters, pass_getter);
  aio_line_init(&q->putters, pass_putter);
  aio_line_init(&q->joiners, NULL);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, 4, AIO_QUEUE_UV_COMPARE);
  aio_items_new(L, q);
  lua_setiuservalue(L, 4, AIO_QUEUE_UV_ITEMS);
  push_meta(L, st, 3, q);
  lua_setmetatable(L, 4);
  return 1;
}

/* aio.Queue(maxsize) */
static int queue_new(lua_State *L) {
  return make(L, AIO_QUEUE_FIFO, AIO_REF_QUEUE);
}

/* aio.LifoQueue(maxsize) */
static int lifo_new(lua_State *L) {
  return make(L, AIO_QUEUE_LIFO, AIO_REF_LIFO_QUEUE);
}

/* aio.PriorityQueue(maxsize, {compare=}) */
static int priority_new(lua_State *L) {
  return make(L, AIO_QUEUE_PRIORITY, AIO_REF_PRIORITY_QUEUE);
}

static int raise_error(lua_State *L, enum aio_error_class class, const char *message) {
  aio_error_new(L, aio_state_up(L), class, message);
  return lua_error(L);
}

static int raise_shut(lua_State *L) {
  return raise_error(L, AIO_E_QUEUE_SHUT_DOWN, "the queue is shut down");
}

/* ---- put ---- */

/* Adds the item at `item`; false when the queue is full. Raises when it is shut down. */
static inline bool put_now(lua_State *L, aio_queue *q, int obj, int item) {
  if (q->shut) raise_shut(L);
  if (aio_queue_full(q)) return false;
  if (q->count == q->room || q->count == 0) {
    aio_items_reserve(L, q, obj);
    if (q->shut) raise_shut(L); /* a finalizer used it */
    if (aio_queue_full(q)) return false;
  }
  aio_items_put(L, q, obj, item);
  q->unfinished++;
  aio_line_give(&q->getters);
  return true;
}

static int put_wait(lua_State *L, aio_queue *q);

static int put_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_queue *q = lua_touserdata(L, SELF);
  if (!aio_line_resumed(L, ctx, &q->putters)) return aio_suspend_again(L, ctx, put_k);
  return put_now(L, q, SELF, ITEM) ? 0 : put_wait(L, q);
}

static int put_wait(lua_State *L, aio_queue *q) {
  lua_settop(L, ITEM);
  return aio_line_wait(L, aio_state_up(L), &q->putters, SELF, put_k);
}

static void check_item(lua_State *L, int arg) {
  luaL_argcheck(L, !lua_isnoneornil(L, arg), arg, "nil cannot be put into a queue (false can)");
}

/* queue:put(item) [may yield] */
static int queue_put(lua_State *L) {
  aio_queue *q = self(L);
  check_item(L, ITEM);
  return put_now(L, q, SELF, ITEM) ? 0 : put_wait(L, q);
}

static int queue_put_nowait(lua_State *L) {
  aio_queue *q = self(L);
  check_item(L, ITEM);
  if (put_now(L, q, SELF, ITEM)) return 0;
  return raise_error(L, AIO_E_QUEUE_FULL, "the queue is full");
}

/* ---- get ---- */

/* Pushes the next item (and something below it); false when there is none. */
static inline bool get_now(lua_State *L, aio_queue *q, int obj) {
  if (q->count == 0) return false;
  aio_items_get(L, q, obj);
  aio_line_give(&q->putters);
  return true;
}

static int get_wait(lua_State *L, aio_queue *q, lua_KFunction k) {
  lua_settop(L, SELF);
  return aio_line_wait(L, aio_state_up(L), &q->getters, SELF, k);
}

/* A getter that was woken; at the end of the queue it raises, or (an iteration) returns nil. */
static int get_again(lua_State *L, lua_KContext ctx, lua_KFunction k, bool iterates) {
  aio_queue *q = lua_touserdata(L, SELF);
  if (!aio_line_resumed(L, ctx, &q->getters)) return aio_suspend_again(L, ctx, k);
  if (get_now(L, q, SELF)) return 1;
  if (!q->shut) return get_wait(L, q, k);
  if (!iterates) return raise_shut(L);
  lua_pushnil(L);
  return 1;
}

static int get_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return get_again(L, ctx, get_k, false);
}

/* queue:get(): the next item. [may yield] */
static int queue_get(lua_State *L) {
  aio_queue *q = self(L);
  if (get_now(L, q, SELF)) return 1;
  return q->shut ? raise_shut(L) : get_wait(L, q, get_k);
}

static int queue_get_nowait(lua_State *L) {
  aio_queue *q = self(L);
  if (get_now(L, q, SELF)) return 1;
  return q->shut ? raise_shut(L) : raise_error(L, AIO_E_QUEUE_EMPTY, "the queue is empty");
}

static int next_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return get_again(L, ctx, next_k, true);
}

static int items_next(lua_State *L) {
  aio_queue *q = self(L);
  if (get_now(L, q, SELF)) return 1;
  if (!q->shut) return get_wait(L, q, next_k);
  lua_pushnil(L);
  return 1;
}

/* for item in queue:items() do: until it is shut down and empty. */
static int queue_items(lua_State *L) {
  self(L);
  lua_settop(L, SELF);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushcclosure(L, items_next, 1);
  lua_insert(L, SELF);
  return 2;
}

/* ---- sizes ---- */

static int queue_qsize(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)self(L)->count);
  return 1;
}

static int queue_empty(lua_State *L) {
  lua_pushboolean(L, self(L)->count == 0);
  return 1;
}

static int queue_full(lua_State *L) {
  lua_pushboolean(L, aio_queue_full(self(L)));
  return 1;
}

static int queue_tostring(lua_State *L) {
  const aio_queue *q = self(L);
  lua_getmetatable(L, SELF);
  lua_getfield(L, -1, "__name");
  lua_pushfstring(L, "%s: %p (%I items%s)", lua_tostring(L, -1), q, (LUAI_UACINT)q->count,
                  q->shut ? ", shut down" : "");
  return 1;
}

/* ---- the end of work ---- */

static int queue_task_done(lua_State *L) {
  aio_queue *q = self(L);
  if (q->unfinished == 0)
    return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                           "task_done called more often than there were items; call it once for "
                           "each item that was taken");
  if (--q->unfinished == 0) aio_line_give_all(&q->joiners);
  return 0;
}

static int join_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_queue *q = lua_touserdata(L, SELF);
  if (!aio_line_resumed(L, ctx, &q->joiners)) return aio_suspend_again(L, ctx, join_k);
  return 0;
}

/* queue:join(): until task_done was called for every item. [may yield] */
static int queue_join(lua_State *L) {
  aio_queue *q = self(L);
  lua_settop(L, SELF);
  if (q->unfinished == 0) return 0;
  return aio_line_wait(L, aio_state_up(L), &q->joiners, SELF, join_k);
}

/* queue:shutdown(immediate): nothing can be put any more; what is in it can still be taken, unless
 * `immediate`. All who wait are woken. */
static int queue_shutdown(lua_State *L) {
  aio_queue *q = self(L);
  if (lua_toboolean(L, 2)) {
    size_t dropped = q->count;
    aio_items_clear(L, q, SELF);
    q->unfinished -= dropped < q->unfinished ? dropped : q->unfinished;
    if (q->unfinished == 0) aio_line_give_all(&q->joiners);
  }
  q->shut = true;
  aio_line_give_all(&q->getters);
  aio_line_give_all(&q->putters);
  return 0;
}

/* ---- {queue, "get"} and {queue, "put", item} ---- */

static void get_check(lua_State *L, aio_state *st, int obj) {
  (void)st;
  check(L, obj);
}

static int get_take(lua_State *L, aio_state *st, int obj, bool turn) {
  (void)st;
  aio_queue *q = lua_touserdata(L, obj);
  if (turn) aio_line_use(&q->getters);
  if (get_now(L, q, obj)) return 1;
  return q->shut ? raise_shut(L) : -1;
}

static const char *get_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  aio_queue *q = lua_touserdata(L, obj);
  if (!aio_line_bind(L, &q->getters, obj, t->fut.loop)) return AIO_OTHER_LOOP;
  aio_list_push(&q->getters.waiters, &w->node.link);
  return NULL;
}

static void get_hand_back(void *obj) {
  aio_line_hand_back(&((aio_queue *)obj)->getters);
}

static void put_check(lua_State *L, aio_state *st, int obj) {
  (void)st;
  check(L, obj);
  check_item(L, obj + 1);
}

static int put_take(lua_State *L, aio_state *st, int obj, bool turn) {
  (void)st;
  aio_queue *q = lua_touserdata(L, obj);
  if (turn) aio_line_use(&q->putters);
  return put_now(L, q, obj, obj + 1) ? 0 : -1;
}

static const char *put_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  aio_queue *q = lua_touserdata(L, obj);
  if (!aio_line_bind(L, &q->putters, obj, t->fut.loop)) return AIO_OTHER_LOOP;
  aio_list_push(&q->putters.waiters, &w->node.link);
  return NULL;
}

static void put_hand_back(void *obj) {
  aio_line_hand_back(&((aio_queue *)obj)->putters);
}

/* ---- opening ---- */

static const aio_clause_ops get_ops = {get_check, get_take, get_arm, get_hand_back};
static const aio_clause_ops put_ops = {put_check, put_take, put_arm, put_hand_back};

static void open_class(lua_State *L, aio_state *st, enum aio_ref r, const char *name,
                       lua_CFunction new) {
  static const luaL_Reg methods[] = {{"put", queue_put},
                                     {"put_nowait", queue_put_nowait},
                                     {"get", queue_get},
                                     {"get_nowait", queue_get_nowait},
                                     {"items", queue_items},
                                     {"qsize", queue_qsize},
                                     {"empty", queue_empty},
                                     {"full", queue_full},
                                     {"task_done", queue_task_done},
                                     {"join", queue_join},
                                     {"shutdown", queue_shutdown},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__tostring", queue_tostring}, {NULL, NULL}};
  aio_class_open(L, st, r, name, methods, meta);
  aio_class_selectable(L, "get", &get_ops);
  aio_class_selectable(L, "put", &put_ops);
  aio_class_publish(L, st, name, new);
}

void aio_queue_open(lua_State *L, aio_state *st) {
  open_class(L, st, AIO_REF_QUEUE, "Queue", queue_new);
  open_class(L, st, AIO_REF_LIFO_QUEUE, "LifoQueue", lifo_new);
  open_class(L, st, AIO_REF_PRIORITY_QUEUE, "PriorityQueue", priority_new);
}
