/* SPDX-License-Identifier: MIT
 *
 * The waiting part of gather: a task waits until all of N futures are done, or one has failed.
 * `aio.gather` (Lua) makes the jobs and shapes the results. A child that ends runs its node on the
 * next turn, which wakes the waiting task on the turn after that, as asyncio's two callbacks do.
 *
 * Invariant: a node is linked into its child's waiters or the ready queue only while the gather
 * object lives; its finalizer unlinks what is left. */
#include "bind/gather.h"

#include "bind/error.h"
#include "bind/lloop.h"

typedef struct child {
  aio_cnode cnode;
  aio_future *fut;
  struct gather *owner;
} child;

typedef struct gather {
  aio_task *task; /* who waits, NULL afterwards */
  size_t n, left;
  bool all;       /* errors do not end the waiting (return_exceptions, or a cancelled gather) */
  bool cancelled; /* a cancel was passed on: raise CancelledError when all have ended */
  bool over;
  bool any;        /* a child took the cancel that is being passed on */
  uint32_t cancel; /* the number of the request that is being passed on */
  size_t asked;    /* so many children have got it; not 0 when memory was out in the middle */
  size_t first;    /* 1-based place of the first child that failed, 0: none */
  child children[];
} gather;

enum { UV_FUTURES = 1 };
enum { LIST = 1, RETURN = 2, SELF = 3 }; /* stack of core._gather */

static void finish(gather *g) {
  g->over = true;
  if (g->task) aio_wake(g->task->fut.loop->core, &g->task->wait);
}

static void child_done(aio_loop *l, aio_cnode *c) {
  (void)l;
  child *ch = AIO_CONTAINER(c, child, cnode);
  gather *g = ch->owner;
  g->left--;
  if (ch->fut->state != AIO_FUT_DONE && !g->first) g->first = (size_t)(ch - g->children) + 1;
  if (g->over) return;
  if (g->left == 0 || (g->first && !g->all)) finish(g);
}

/* Unlinks the nodes of children that are still under way; their errors were given up. */
static void detach(gather *g) {
  g->task = NULL;
  for (size_t i = 0; i < g->n; i++) aio_list_del(&g->children[i].cnode.node.link);
  g->n = 0;
}

static int gather_gc(lua_State *L) {
  detach(lua_touserdata(L, 1));
  return 0;
}

static bool cancel_marker(aio_wait *w) {
  (void)w;
  return false;
}

bool aio_gather_waits(const aio_task *t) {
  return t->wait.node.state == AIO_PENDING && t->wait.cancel == cancel_marker;
}

bool aio_gather_passing(const aio_state *st, const aio_task *t) {
  return ((const gather *)t->wait.target)->cancel == st->cancel;
}

bool aio_gather_cancel(lua_State *L, aio_state *st, aio_task *t, int msg) {
  gather *g = t->wait.target;
  aio_task_push(L, t);
  lua_getiuservalue(L, -1, AIO_UV_RESULT);
  lua_getiuservalue(L, -1, UV_FUTURES);
  int list = lua_gettop(L);
  g->cancel = st->cancel;
  for (; g->asked < g->n; g->asked++) {
    lua_rawgeti(L, list, (lua_Integer)g->asked + 1);
    g->any |= aio_future_pass_cancel(L, st, lua_gettop(L), msg);
    lua_settop(L, list);
  }
  lua_pop(L, 3);
  bool any = g->any;
  g->any = false;
  g->asked = 0;
  g->cancel = 0;
  if (any) {
    g->cancelled = true;
    g->all = true; /* a cancelled gather waits until all its children have ended */
  }
  return any;
}

/* Marks all errors as seen: one of them is raised, or all are returned. */
static void mark_retrieved(gather *g) {
  for (size_t i = 0; i < g->n; i++) g->children[i].fut->flags |= AIO_FUT_RETRIEVED;
}

/* The results of core._gather. */
static int push_outcome(lua_State *L, gather *g) {
  lua_pushinteger(L, (lua_Integer)g->first);
  lua_pushboolean(L, g->cancelled);
  return 2;
}

static int wait_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = (aio_task *)ctx;
  gather *g = lua_touserdata(L, SELF);
  if (t->wait.node.state != AIO_IDLE) return aio_suspend_again(L, ctx, wait_k);
  if (!g->over && !aio_task_cancel_due(t)) /* woken by a stray resume of ours: cannot happen */
    return aio_suspend_again(L, ctx, wait_k);
  mark_retrieved(g);
  detach(g);
  if (aio_task_cancel_due(t)) return aio_task_raise_cancel(L, t);
  return push_outcome(L, g);
}

/* Fills the node of the i-th child; links it where a child that is not done will find it. */
static void attach(gather *g, size_t i, aio_future *f) {
  child *c = &g->children[i];
  c->fut = f;
  c->owner = g;
  c->cnode.run = child_done;
  c->cnode.node.kind = AIO_NODE_C;
  aio_link_init(&c->cnode.node.link);
  if (aio_future_done(f)) return;
  c->cnode.node.state = AIO_PENDING;
  aio_list_push(&f->waiters, &c->cnode.node.link);
}

/* Counts the children that were done before. True when there is nothing to wait for. */
static bool count_done(aio_loop *core, gather *g) {
  size_t n = g->n;
  for (size_t i = 0; i < n; i++) {
    if (aio_future_done(g->children[i].fut)) child_done(core, &g->children[i].cnode);
  }
  return g->over;
}

/* The future at the top, of a list in which only futures are: aio.job has seen to that. */
static aio_future *checked(lua_State *L) {
  aio_future *f = lua_touserdata(L, -1);
  if (!f) luaL_typeerror(L, LIST, "list of futures");
  return f;
}

/* core._gather(futures, all): waits until all are done, or (unless `all`) one has failed. Returns
 * the place of the first that failed (0: none) and whether a cancel was passed on to them.
 * The futures must be distinct, at least one, of the task's loop. [may yield] */
static int gather_wait(lua_State *L) {
  aio_state *st = aio_state_up(L);
  luaL_checktype(L, LIST, LUA_TTABLE);
  bool all = lua_toboolean(L, RETURN);
  lua_settop(L, RETURN);
  aio_task *t = aio_task_waiter(L, st);
  size_t n = lua_rawlen(L, LIST);
  gather *g = aio_object_new(L, st, AIO_REF_GATHER, sizeof *g + n * sizeof *g->children, 1);
  g->all = all;
  lua_pushvalue(L, LIST);
  lua_setiuservalue(L, SELF, UV_FUTURES);
  aio_task_hold(L, t, SELF);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, LIST, (lua_Integer)i + 1);
    aio_future *f = checked(L);
    lua_pop(L, 1);
    if (f == &t->fut || f->loop != t->fut.loop) {
      detach(g);
      return aio_error_state(L, st, AIO_E_RUNTIME,
                             f == &t->fut ? "a task cannot wait for itself"
                                          : "a future of another loop cannot be awaited here");
    }
    attach(g, i, f);
    g->n = g->left = i + 1;
  }
  if (count_done(t->fut.loop->core, g)) {
    mark_retrieved(g); /* before detach, which forgets the children */
    detach(g);
    return push_outcome(L, g);
  }
  g->task = t;
  t->wait.target = g;
  if ((t->tflags & AIO_TASK_MUST_CANCEL)) { /* came while the task ran: passed on, as in await */
    aio_cancel_begin(st);
    if (aio_gather_cancel(L, st, t, aio_task_message(L, t)))
      t->tflags &= (uint8_t)~AIO_TASK_MUST_CANCEL;
    lua_settop(L, SELF);
  }
  return aio_task_suspend(L, t, NULL, cancel_marker, wait_k);
}

/* core._futures(list, n): a copy of the list when its n items are futures and all different, else
 * nothing. This is the usual case; it needs no table to find doubles. */
static int futures(lua_State *L) {
  aio_state *st = aio_state_up(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  int n = (int)luaL_checkinteger(L, 2), seen = 0;
  lua_settop(L, 2);
  lua_createtable(L, n, 0);
  while (seen < n) {
    lua_rawgeti(L, 1, seen + 1);
    aio_future *f = aio_future_test(L, st, -1);
    if (!f || (f->flags & AIO_FUT_LISTED)) break;
    f->flags |= AIO_FUT_LISTED;
    lua_rawseti(L, 3, ++seen);
  }
  lua_settop(L, 3);
  for (int i = 1; i <= seen; i++) {
    lua_rawgeti(L, 3, i);
    ((aio_future *)lua_touserdata(L, -1))->flags &= (uint8_t)~AIO_FUT_LISTED;
    lua_pop(L, 1);
  }
  return seen == n;
}

/* core._values(futures, n): the first result of each done future, nil for the others, as a list
 * with n. One call instead of n method calls. */
static int values(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  int n = (int)luaL_checkinteger(L, 2);
  lua_settop(L, 2);
  lua_createtable(L, n, 1);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, 1, i);
    const aio_future *f = checked(L);
    if (f->state == AIO_FUT_DONE) {
      lua_getiuservalue(L, -1, AIO_UV_RESULT);
      if (f->flags & AIO_FUT_MULTI) lua_rawgeti(L, -1, 1);
      lua_rawseti(L, 3, i);
    }
    lua_settop(L, 3);
  }
  lua_pushinteger(L, n);
  lua_setfield(L, 3, "n");
  return 1;
}

void aio_gather_open(lua_State *L, aio_state *st) {
  static const luaL_Reg gc[] = {{"__gc", gather_gc}, {NULL, NULL}};
  static const luaL_Reg fns[] = {
      {"_gather", gather_wait}, {"_futures", futures}, {"_values", values}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_GATHER, "aio.gather", NULL, gc);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
