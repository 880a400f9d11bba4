/* SPDX-License-Identifier: MIT
 *
 * aio.select: waits on several things, of which exactly one takes effect. Each clause first tries
 * to take what it wants, in the order given; when none can, each stands in the line of its object.
 * The first that is woken is chosen: the others leave their lines (handing back a turn that they
 * were given), and the chosen one takes. When what it was woken for is gone, all begin anew.
 *
 * Invariant: a node is linked only while the block lives; its finalizer unlinks what is left. */
#include "bind/select.h"

#include <math.h>
#include <string.h>

#include "bind/error.h"
#include "bind/line.h"

/* Stack of aio.select; OBJ and OBJ + 1 hold a clause's object and argument for its operations. */
enum { LIST = 1, ITEMS, BLOCK, OBJ };
enum { UV_ITEMS = 1, UV_LOOP, BLOCK_UVS = 2 };
enum { MOST = 1000 }; /* clauses */

typedef struct clause {
  /* Woken like a wait, run like a C node: the two share their first member and no other one that
   * is used here (`cancel` and `target` of the wait are not). */
  union {
    aio_wait wait;
    aio_cnode cnode;
  } as;
  const aio_clause_ops *ops;
  void *obj;
  struct block *block;
  bool armed;
  bool woken; /* its node has run */
} clause;

typedef struct block {
  aio_task *task;
  aio_lloop *loop; /* in the user value */
  clause *chosen;
  size_t n;
  clause clauses[];
} block;

/* ---- waiting ---- */

/* The cancel function of the task's wait: a marker, a cancellation just wakes it. */
bool aio_select_waiting(aio_wait *w) {
  (void)w;
  return false;
}

/* The node of a clause that was woken. */
static void clause_run(aio_loop *l, aio_cnode *c) {
  clause *cl = AIO_CONTAINER(c, clause, as.cnode);
  block *b = cl->block;
  cl->woken = true;
  if (b->chosen || !b->task) return;
  b->chosen = cl;
  aio_wake(l, &b->task->wait);
}

/* Takes the node of a clause out of wherever it is; true when it was woken. */
static bool disarm(block *b, clause *c) {
  if (!c->armed) return false;
  bool woken = c->woken || c->as.wait.node.state == AIO_READY;
  aio_list_del(&c->as.wait.node.link);
  if (b->loop->core) aio_loop_timer_stop(b->loop->core, &c->as.wait.timer);
  c->as.wait.node.state = AIO_IDLE;
  c->armed = c->woken = false;
  return woken;
}

/* Disarms all; the ones that were woken, but `used`, hand their turns back. */
static void disarm_all(block *b, const clause *used) {
  for (size_t i = 0; i < b->n; i++) {
    clause *c = &b->clauses[i];
    if (disarm(b, c) && c != used && c->ops->hand_back) c->ops->hand_back(c->obj);
  }
  b->chosen = NULL;
  b->task = NULL;
}

void aio_select_abandon(void *target) {
  disarm_all(target, NULL);
}

static int block_gc(lua_State *L) {
  disarm_all(lua_touserdata(L, 1), NULL);
  return 0;
}

/* ---- the clauses ---- */

/* Pushes object and argument of the i-th clause (from 0) to OBJ and OBJ + 1. */
static void push_clause(lua_State *L, size_t i) {
  lua_settop(L, BLOCK);
  lua_rawgeti(L, ITEMS, (lua_Integer)(2 * i) + 1);
  lua_rawgeti(L, ITEMS, (lua_Integer)(2 * i) + 2);
}

/* Tries the i-th clause; the count of results, with the index, or < 0. */
static int take(lua_State *L, aio_state *st, block *b, size_t i, bool turn) {
  push_clause(L, i);
  int n = b->clauses[i].ops->take(L, st, OBJ, turn);
  if (n < 0) return n;
  lua_pushinteger(L, (lua_Integer)i + 1);
  lua_insert(L, -n - 1);
  return n + 1;
}

static void arm(lua_State *L, aio_state *st, aio_task *t, block *b, size_t i) {
  clause *c = &b->clauses[i];
  push_clause(L, i);
  memset(&c->as, 0, sizeof c->as);
  aio_link_init(&c->as.wait.node.link);
  c->as.cnode.node.kind = AIO_NODE_C;
  c->as.cnode.node.state = AIO_PENDING;
  c->as.cnode.run = clause_run;
  const char *why = c->ops->arm(L, st, OBJ, t, &c->as.wait);
  c->armed = !why;
  if (!why) return;
  disarm_all(b, NULL);
  aio_error_state(L, st, AIO_E_RUNTIME, why, luaL_tolstring(L, OBJ, NULL));
}

static int select_k(lua_State *L, int status, lua_KContext ctx);

/* Tries all clauses; when none can be taken, waits. */
static int attempt(lua_State *L, aio_state *st, block *b) {
  for (size_t i = 0; i < b->n; i++) {
    int n = take(L, st, b, i, false);
    if (n >= 0) return n;
  }
  aio_task *t = aio_task_waiter(L, st);
  lua_settop(L, BLOCK);
  b->loop = t->fut.loop;
  aio_lloop_push(L, b->loop);
  lua_setiuservalue(L, BLOCK, UV_LOOP);
  for (size_t i = 0; i < b->n; i++) arm(L, st, t, b, i);
  lua_settop(L, BLOCK);
  aio_task_hold(L, t, BLOCK);
  b->task = t;
  t->wait.target = b;
  return aio_task_suspend(L, t, NULL, aio_select_waiting, select_k);
}

static int select_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state != AIO_IDLE) return aio_suspend_again(L, ctx, select_k);
  aio_state *st = aio_state_up(L);
  block *b = lua_touserdata(L, BLOCK);
  clause *chosen = b->chosen;
  t->wait.cancel = NULL;
  if (aio_task_cancel_due(t)) {
    disarm_all(b, NULL);
    return aio_task_raise_cancel(L, t);
  }
  disarm_all(b, chosen);
  if (!chosen) return attempt(L, st, b);
  int n = take(L, st, b, (size_t)(chosen - b->clauses), true);
  return n >= 0 ? n : attempt(L, st, b);
}

/* ---- {sleep = seconds} ---- */

static void sleep_check(lua_State *L, aio_state *st, int obj) {
  (void)st;
  (void)L;
  (void)obj;
}

static int sleep_take(lua_State *L, aio_state *st, int obj, bool turn) {
  (void)st;
  return turn || lua_tonumber(L, obj) <= 0 ? 0 : -1;
}

static void sleep_fire(aio_timer *timer) {
  aio_wait *w = AIO_CONTAINER(timer, aio_wait, timer);
  aio_wake(AIO_CONTAINER(w, clause, as.wait)->block->loop->core, w);
}

static const char *sleep_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  aio_loop *core = t->fut.loop->core;
  w->timer.fire = sleep_fire;
  double when = aio_loop_now(core) + lua_tonumber(L, obj);
  return aio_loop_timer_start(core, &w->timer, when) ? NULL : "not enough memory";
}

static const aio_clause_ops sleep_ops = {sleep_check, sleep_take, sleep_arm, NULL};

/* ---- {future} ---- */

static void future_check(lua_State *L, aio_state *st, int obj) {
  aio_future_check(L, st, obj);
}

static int future_take(lua_State *L, aio_state *st, int obj, bool turn) {
  (void)turn;
  if (!aio_future_done(lua_touserdata(L, obj))) return -1;
  return aio_future_push_outcome(L, st, obj);
}

static const char *future_arm(lua_State *L, aio_state *st, int obj, aio_task *t, aio_wait *w) {
  (void)st;
  aio_future *f = lua_touserdata(L, obj);
  if (f->loop != t->fut.loop) return AIO_FOREIGN_LOOP;
  if (f == &t->fut) return "%s: a task cannot wait for itself";
  aio_list_push(&f->waiters, &w->node.link);
  return NULL;
}

static const aio_clause_ops future_ops = {future_check, future_take, future_arm, NULL};

/* ---- aio.select ---- */

static int bad_clause(lua_State *L, size_t i, const char *why) {
  return luaL_argerror(L, LIST, lua_pushfstring(L, "clause %d: %s", (int)i + 1, why));
}

/* The clause table at the top is {sleep = s}: its seconds go to OBJ. */
static const aio_clause_ops *parse_sleep(lua_State *L, size_t i, int clause_at) {
  lua_getfield(L, clause_at, "sleep");
  if (lua_type(L, -1) != LUA_TNUMBER || isnan(lua_tonumber(L, -1)))
    bad_clause(L, i, "sleep: a number of seconds expected");
  if (lua_rawlen(L, clause_at) > 0) bad_clause(L, i, "sleep is a clause of its own");
  lua_pushnil(L);
  return &sleep_ops;
}

/* The object of the clause is at the top: what is to be done with it. Pushes the argument. */
static const aio_clause_ops *parse_object(lua_State *L, size_t i, int clause_at) {
  lua_rawgeti(L, clause_at, 1);
  int obj = lua_gettop(L);
  if (luaL_getmetafield(L, obj, "__select") != LUA_TTABLE)
    bad_clause(
        L, i,
        lua_pushfstring(
            L,
            "a %s cannot be selected; write {queue, \"get\"}, {queue, \"put\", "
            "item}, {stream, \"read\", n}, {channel, \"recv\"}, {datagram, \"recv\"}, {future}, "
            "{event}, {lock, \"acquire\"} or {sleep = seconds}",
            luaL_typename(L, obj)));
  if (lua_rawgeti(L, clause_at, 2) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushliteral(L, "");
  }
  const char *op = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
  lua_getfield(L, -2, op);
  const aio_clause_ops *ops = lua_touserdata(L, -1);
  if (!ops)
    bad_clause(L, i,
               *op ? lua_pushfstring(L, "'%s' cannot be waited for with this object", op)
                   : "what is to be done with the object? write it second");
  lua_settop(L, obj);
  lua_rawgeti(L, clause_at, 3);
  return ops;
}

/* Only these keys have a meaning. */
static void check_keys(lua_State *L, size_t i, int clause_at) {
  for (lua_pushnil(L); lua_next(L, clause_at); lua_pop(L, 1)) {
    if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 && lua_tointeger(L, -2) <= 3) continue;
    if (lua_type(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -2), "sleep") == 0) continue;
    lua_pop(L, 1);
    bad_clause(L, i, lua_pushfstring(L, "unknown field '%s'", luaL_tolstring(L, -1, NULL)));
  }
}

/* Reads and checks the i-th clause into the block and ITEMS. */
static void parse(lua_State *L, aio_state *st, block *b, size_t i) {
  lua_settop(L, BLOCK);
  if (lua_rawgeti(L, LIST, (lua_Integer)i + 1) != LUA_TTABLE || lua_getmetatable(L, -1))
    bad_clause(L, i, "a table such as {queue, \"get\"} expected");
  int clause_at = lua_gettop(L);
  check_keys(L, i, clause_at);
  lua_getfield(L, clause_at, "sleep");
  bool sleeps = !lua_isnil(L, -1);
  lua_pop(L, 1);
  clause *c = &b->clauses[i];
  c->block = b;
  c->ops = sleeps ? parse_sleep(L, i, clause_at) : parse_object(L, i, clause_at);
  lua_remove(L, clause_at); /* OBJ and OBJ + 1 */
  c->obj = lua_touserdata(L, OBJ);
  c->ops->check(L, st, OBJ);
  lua_rawseti(L, ITEMS, (lua_Integer)(2 * i) + 2);
  lua_rawseti(L, ITEMS, (lua_Integer)(2 * i) + 1);
}

/* aio.select{clauses}: the index of the clause that took effect, and its results. [may yield] */
static int select_new(lua_State *L) {
  aio_state *st = aio_state_up(L);
  luaL_checktype(L, LIST, LUA_TTABLE);
  size_t n = lua_rawlen(L, LIST);
  luaL_argcheck(L, n > 0, LIST, "at least one clause expected");
  luaL_argcheck(L, n <= MOST, LIST, "too many clauses");
  lua_settop(L, LIST);
  lua_createtable(L, 2 * (int)n, 0);
  block *b = aio_object_new(L, st, AIO_REF_SELECT, sizeof *b + n * sizeof *b->clauses, BLOCK_UVS);
  lua_pushvalue(L, ITEMS);
  lua_setiuservalue(L, BLOCK, UV_ITEMS);
  for (size_t i = 0; i < n; i++) {
    parse(L, st, b, i);
    b->n = i + 1;
  }
  return attempt(L, st, b);
}

void aio_select_open(lua_State *L, aio_state *st) {
  static const luaL_Reg gc[] = {{"__gc", block_gc}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"select", select_new}, {NULL, NULL}};
  static const enum aio_ref futures[] = {AIO_REF_FUTURE, AIO_REF_TASK};
  aio_class_open(L, st, AIO_REF_SELECT, "aio.selection", NULL, gc);
  lua_pop(L, 1);
  for (int i = 0; i < 2; i++) {
    aio_push_ref(L, st, futures[i]);
    aio_class_selectable(L, "", &future_ops);
    aio_class_selectable(L, "await", &future_ops);
    lua_pop(L, 1);
  }
  aio_setfuncs(L, st, fns);
}
