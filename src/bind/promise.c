/* SPDX-License-Identifier: MIT
 *
 * Futures that C completes from any thread. Called by the embedding program, and for what runs in
 * worker threads; the outcome crosses as a posted node inside the promise, so handing it over needs
 * no memory.
 *
 * Whoever sets `claimed` may write `outcome` and post, once. `fut`, `slot` and the links belong to
 * the loop's thread. Invariant: while `fut` is set the future is anchored, `watch` is among its
 * waiters or ready, and the promise counts in the loop's `remotes`. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bind/error.h"
#include "bind/promise.h"
#include "core/port.h"

enum kind {
  AS_NIL,
  AS_BOOLEAN,
  AS_INTEGER,
  AS_NUMBER,
  AS_STRING,
  AS_POINTER,
  AS_VALUES,
  AS_KEPT,
  AS_FAILURE,
  AS_CANCEL,
  AS_ABANDONED
};

typedef struct outcome {
  enum kind kind;
  union {
    int boolean;
    long long integer;
    double number;
    void *pointer;
    struct {
      char *s; /* malloc'ed, followed by a zero byte */
      size_t len;
    } string;
    struct {
      aio_promised *push; /* NULL once called */
      void *ud;
    } values;
    struct {
      aio_promised *push;
      void (*drop)(void *ud);
      void *ud;
    } kept;
  } u;
} outcome;

struct aio_promise {
  aio_cnode post;    /* carries the outcome to the loop */
  aio_cnode watch;   /* learns that the future was completed by somebody else */
  aio_object object; /* learns that the loop closes */
  aio_loop *core;
  aio_port *port;
  aio_future *fut; /* NULL once settled */
  uint32_t slot;
  atomic_uint refs;   /* the C side, the loop's side, the post: one each */
  atomic_uint owners; /* references of the C side */
  atomic_bool claimed, settled;
  outcome outcome;
  void (*gone)(void *ud, bool unwanted); /* or NULL, see promise.h */
  void *gone_ud;
};

/* ---- memory ---- */

static void unref(aio_promise *p) {
  if (atomic_fetch_sub(&p->refs, 1) > 1) return;
  aio_port_release(p->port);
  free(p);
}

/* Nobody wants the outcome (any more), or it was delivered. */
static void outcome_free(outcome *o) {
  if (o->kind == AS_STRING || o->kind == AS_FAILURE) free(o->u.string.s);
  if (o->kind == AS_VALUES && o->u.values.push) o->u.values.push(NULL, o->u.values.ud);
  if (o->kind == AS_KEPT) o->u.kept.drop(o->u.kept.ud);
  o->kind = AS_NIL;
}

/* The loop's side lets go: the future has its outcome, or the loop closes. */
static void let_go(aio_promise *p, bool unwanted) {
  aio_lloop *l = p->core->owner;
  atomic_store(&p->settled, true);
  aio_list_del(&p->watch.node.link);
  aio_list_del(&p->object.link);
  p->fut = NULL;
  p->core->remotes--;
  aio_unanchor(l->L, l->st, p->slot);
  aio_lloop_release(l->L, l);
  if (p->gone) {
    p->core->working--;
    p->gone(p->gone_ud, unwanted);
  }
  unref(p);
}

/* ---- the loop's thread ---- */

/* Pushes the values and returns how many. */
static int push_values(lua_State *L, outcome *o) {
  aio_promised *push;
  switch (o->kind) {
  case AS_BOOLEAN:
    lua_pushboolean(L, o->u.boolean);
    return 1;
  case AS_INTEGER:
    lua_pushinteger(L, o->u.integer);
    return 1;
  case AS_NUMBER:
    lua_pushnumber(L, o->u.number);
    return 1;
  case AS_STRING:
    lua_pushlstring(L, o->u.string.s, o->u.string.len);
    return 1;
  case AS_POINTER:
    lua_pushlightuserdata(L, o->u.pointer);
    return 1;
  case AS_VALUES:
    push = o->u.values.push;
    o->u.values.push = NULL;
    return push(L, o->u.values.ud);
  case AS_KEPT:
    return o->u.kept.push(L, o->u.kept.ud);
  default:
    lua_pushnil(L);
    return 1;
  }
}

/* The future at `idx` fails with the error at the top, unless it is done. */
static void fail(lua_State *L, aio_state *st, int idx) {
  aio_future *f = lua_touserdata(L, idx);
  if (aio_future_done(f)) return;
  if (lua_isnil(L, -1)) aio_error_new(L, st, AIO_E_RUNTIME, "nil raised");
  aio_future_watch(L, st, idx);
  if (aio_future_done(f)) return; /* by a finalizer */
  aio_future_prepare(L, st, idx);
  lua_setiuservalue(L, idx, AIO_UV_RESULT);
  aio_future_complete(f, AIO_FUT_FAILED);
}

enum { PROMISE = 1, FUTURE = 2, VALUE = 3 };

/* Stack: light userdata of the promise, the future. */
static int settle_protected(lua_State *L) {
  aio_promise *p = lua_touserdata(L, PROMISE);
  aio_state *st = aio_state_of(L);
  aio_future *f = lua_touserdata(L, FUTURE);
  outcome *o = &p->outcome;
  if (o->kind == AS_CANCEL) {
    aio_future_cancel(L, st, FUTURE, 0);
    return 0;
  }
  if (o->kind == AS_FAILURE || o->kind == AS_ABANDONED) {
    bool abandoned = o->kind == AS_ABANDONED;
    aio_error_new(L, st, abandoned ? AIO_E_RUNTIME : AIO_E_ERROR,
                  abandoned ? "abandoned: the host released this future without an outcome"
                            : o->u.string.s);
    fail(L, st, FUTURE);
    return 0;
  }
  int n = push_values(L, o);
  uint8_t kind = aio_future_pack(L, lua_gettop(L) - n + 1);
  if (aio_future_done(f)) return 0; /* by what the host did in there, or by a finalizer */
  aio_future_prepare(L, st, FUTURE);
  aio_future_put(L, FUTURE, f, kind);
  aio_future_complete(f, AIO_FUT_DONE);
  return 0;
}

/* Making the outcome raised the error. Stack: the future, the error. */
static int fail_protected(lua_State *L) {
  fail(L, aio_state_of(L), 1);
  return 0;
}

static void settle(lua_State *L, aio_promise *p) {
  const aio_lloop *l = p->core->owner;
  aio_future *f = p->fut;
  aio_list_del(&p->watch.node.link);
  aio_push_anchored(L, l->st, p->slot); /* stays below, for a second try */
  lua_pushcfunction(L, settle_protected);
  lua_pushlightuserdata(L, p);
  lua_pushvalue(L, -3);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    lua_pushcfunction(L, fail_protected);
    lua_insert(L, -2);
    lua_pushvalue(L, -3);
    lua_insert(L, -2);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
      lua_pop(L, 1); /* no memory for any error: a cancelled future needs none */
      if (!aio_future_done(f)) aio_future_complete(f, AIO_FUT_CANCELLED);
    }
  }
  lua_pop(L, 1);
}

static void post_run(aio_loop *core, aio_cnode *c) {
  aio_promise *p = AIO_CONTAINER(c, aio_promise, post);
  if (p->fut) {
    settle(((aio_lloop *)core->owner)->L, p);
    let_go(p, false);
  }
  outcome_free(&p->outcome);
  unref(p);
}

static void post_drop(aio_cnode *c) {
  aio_promise *p = AIO_CONTAINER(c, aio_promise, post);
  outcome_free(&p->outcome);
  unref(p);
}

/* The future was completed by Lua: cancelled by who awaited it, or set. */
static void watch_run(aio_loop *core, aio_cnode *c) {
  (void)core;
  aio_promise *p = AIO_CONTAINER(c, aio_promise, watch);
  if (p->fut) let_go(p, true);
}

static void promise_detach(aio_object *o) {
  aio_promise *p = AIO_CONTAINER(o, aio_promise, object);
  aio_future *f = p->fut;
  aio_list_del(&p->watch.node.link);
  if (!aio_future_done(f)) aio_future_complete(f, AIO_FUT_CANCELLED);
  let_go(p, true);
}

/* ---- making ---- */

/* Stack: light userdata of a cleared promise. Pushes the future and attaches the promise. */
static int open_protected(lua_State *L) {
  aio_promise *p = lua_touserdata(L, 1);
  aio_state *st = aio_state_of(L);
  aio_lloop *l = aio_lloop_here(L, st);
  aio_future *f = aio_future_new(L, st, l);
  p->port = aio_port_get(l->core);
  if (!p->port) return luaL_error(L, "not enough memory");
  p->slot = aio_anchor(L, st, -1);
  aio_lloop_hold(L, l);
  p->core = l->core;
  p->fut = f;
  p->watch.node.kind = AIO_NODE_C;
  p->watch.node.state = AIO_PENDING;
  aio_list_push(&f->waiters, &p->watch.node.link);
  aio_list_push(&l->core->objects, &p->object.link);
  l->core->remotes++;
  return 1;
}

aio_promise *aio_promise_open(lua_State *L) {
  if (!lua_checkstack(L, AIO_LLOOP_STACK)) return NULL;
  aio_promise *p = aio_lloop_current(L) ? calloc(1, sizeof *p) : NULL;
  if (!p) {
    lua_pushnil(L); /* a message would need memory, or aio */
    return NULL;
  }
  p->post.run = post_run;
  p->post.drop = post_drop;
  p->watch.run = watch_run;
  p->object.detach = promise_detach;
  atomic_init(&p->refs, 2);
  atomic_init(&p->owners, 1);
  atomic_init(&p->claimed, false);
  atomic_init(&p->settled, false);
  lua_pushcfunction(L, open_protected);
  lua_pushlightuserdata(L, p);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return p;
  if (p->port) aio_port_release(p->port);
  free(p);
  return NULL;
}

/* ---- completing, in any thread ---- */

/* Hands `o` over. Only for AIO_HOST_OK what it owns is the loop's. */
static int complete(aio_promise *p, outcome o) {
  if (atomic_load(&p->settled) && !atomic_load(&p->claimed)) return AIO_HOST_SETTLED;
  if (atomic_exchange(&p->claimed, true)) return AIO_HOST_SETTLED;
  p->outcome = o;
  atomic_fetch_add(&p->refs, 1);
  if (aio_port_post(p->port, &p->post)) return AIO_HOST_OK;
  p->outcome.kind = AS_NIL;
  unref(p);
  return AIO_HOST_CLOSED;
}

void aio_promise_retain(aio_promise *p) {
  atomic_fetch_add(&p->owners, 1);
}

void aio_promise_release(aio_promise *p) {
  if (atomic_fetch_sub(&p->owners, 1) > 1) return;
  (void)complete(p, (outcome){.kind = AS_ABANDONED}); /* nothing happens when it is settled */
  unref(p);
}

int aio_promise_wanted(const aio_promise *p) {
  return !atomic_load(&p->settled) && !atomic_load(&p->claimed);
}

int aio_promise_set_nil(aio_promise *p) {
  return complete(p, (outcome){.kind = AS_NIL});
}

int aio_promise_set_boolean(aio_promise *p, int value) {
  return complete(p, (outcome){.kind = AS_BOOLEAN, .u.boolean = value});
}

int aio_promise_set_integer(aio_promise *p, long long value) {
  return complete(p, (outcome){.kind = AS_INTEGER, .u.integer = value});
}

int aio_promise_set_number(aio_promise *p, double value) {
  return complete(p, (outcome){.kind = AS_NUMBER, .u.number = value});
}

int aio_promise_set_pointer(aio_promise *p, void *value) {
  return complete(p, (outcome){.kind = AS_POINTER, .u.pointer = value});
}

static int complete_text(aio_promise *p, enum kind kind, const char *s, size_t len) {
  char *copy = malloc(len + 1);
  if (!copy) return AIO_HOST_NOMEM;
  if (len) memcpy(copy, s, len);
  copy[len] = '\0';
  int status = complete(p, (outcome){.kind = kind, .u.string = {copy, len}});
  if (status != AIO_HOST_OK) free(copy);
  return status;
}

int aio_promise_set_string(aio_promise *p, const char *s, size_t len) {
  return complete_text(p, AS_STRING, s, len);
}

int aio_promise_fail(aio_promise *p, const char *message) {
  return complete_text(p, AS_FAILURE, message, strlen(message));
}

int aio_promise_cancel(aio_promise *p) {
  return complete(p, (outcome){.kind = AS_CANCEL});
}

int aio_promise_set_values(aio_promise *p, aio_promised *push, void *ud) {
  return complete(p, (outcome){.kind = AS_VALUES, .u.values = {push, ud}});
}

int aio_promise_set_kept(aio_promise *p, aio_promised *push, void (*drop)(void *ud), void *ud) {
  return complete(p, (outcome){.kind = AS_KEPT, .u.kept = {push, drop, ud}});
}

void aio_promise_on_gone(aio_promise *p, void (*gone)(void *ud, bool unwanted), void *ud) {
  p->gone = gone;
  p->gone_ud = ud;
  p->core->working++;
}
