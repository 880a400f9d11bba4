/* SPDX-License-Identifier: MIT
 *
 * Futures: outcome, waiters, completion. Tasks share all of it. Called by Lua (the methods), by the
 * task step when a body ends, and by combinators. Invariant: a done future has no waiters. */
#include "bind/future.h"

#include "bind/error.h"
#include "bind/handle.h"
#include "bind/lloop.h"

/* ---- outcome ---- */

uint8_t aio_future_pack(lua_State *L, int first) {
  int n = lua_gettop(L) - first + 1;
  if (n == 1) return 0;
  if (n == 0) {
    lua_pushnil(L);
    return AIO_FUT_NORESULT;
  }
  lua_createtable(L, n, 1);
  lua_insert(L, first);
  for (int i = n; i >= 1; i--) lua_rawseti(L, first, i);
  lua_pushinteger(L, n);
  lua_setfield(L, first, "n");
  return AIO_FUT_MULTI;
}

void aio_future_put(lua_State *L, int idx, aio_future *f, uint8_t kind) {
  lua_setiuservalue(L, idx, AIO_UV_RESULT);
  f->flags = (f->flags & (uint8_t) ~(AIO_FUT_MULTI | AIO_FUT_NORESULT)) | kind;
}

static int push_results(lua_State *L, const aio_future *f, int idx) {
  if (f->flags & AIO_FUT_NORESULT) return 0;
  idx = lua_absindex(L, idx);
  lua_getiuservalue(L, idx, AIO_UV_RESULT);
  if (!(f->flags & AIO_FUT_MULTI)) return 1;
  int list = lua_gettop(L);
  lua_getfield(L, list, "n");
  int n = (int)lua_tointeger(L, -1);
  lua_pop(L, 1);
  luaL_checkstack(L, n, "too many results");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, list, i);
  return n;
}

void aio_future_push_error(lua_State *L, aio_state *st, int idx) {
  idx = lua_absindex(L, idx);
  aio_future *f = lua_touserdata(L, idx);
  f->flags |= AIO_FUT_RETRIEVED;
  if (lua_getiuservalue(L, idx, AIO_UV_RESULT) != LUA_TNIL) return;
  lua_pop(L, 1); /* cancelled without an error object so far: make the one that all will get */
  aio_error_new(L, st, AIO_E_CANCELLED, NULL);
  if (aio_extra_get(L, idx, "cancel_message") != LUA_TNIL)
    lua_setfield(L, -2, "message");
  else
    lua_pop(L, 1);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, idx, AIO_UV_RESULT);
}

int aio_future_push_outcome(lua_State *L, aio_state *st, int idx) {
  const aio_future *f = lua_touserdata(L, idx);
  if (f->state == AIO_FUT_DONE) return push_results(L, f, idx);
  aio_future_push_error(L, st, idx);
  return lua_error(L);
}

/* ---- rare fields ---- */

void aio_extra_set(lua_State *L, int idx, const char *key) {
  idx = lua_absindex(L, idx);
  if (lua_getiuservalue(L, idx, AIO_UV_EXTRA) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, idx, AIO_UV_EXTRA);
  }
  lua_insert(L, -2);
  lua_setfield(L, -2, key);
  lua_pop(L, 1);
}

int aio_extra_get(lua_State *L, int idx, const char *key) {
  if (lua_getiuservalue(L, idx, AIO_UV_EXTRA) == LUA_TNIL) return LUA_TNIL;
  int type = lua_getfield(L, -1, key);
  lua_replace(L, -2);
  return type;
}

/* ---- completion ---- */

static int push_callbacks(lua_State *L, int idx) {
  return aio_extra_get(L, idx, "callbacks");
}

void aio_future_prepare(lua_State *L, aio_state *st, int idx) {
  idx = lua_absindex(L, idx);
  aio_future *f = lua_touserdata(L, idx);
  if (!(f->flags & AIO_FUT_CALLBACKS) || (f->flags & AIO_FUT_IS_TASK)) return;
  uint32_t n = 0;
  for (aio_link *p = f->waiters.next; p != &f->waiters; p = p->next)
    n += aio_node_of(p)->kind == AIO_NODE_CALLBACK;
  aio_anchor_reserve(L, st, n);
  if (!f->loop->core) return; /* nobody calls them any more, so nobody would let go of them */
  push_callbacks(L, idx);
  for (aio_link *p = f->waiters.next; p != &f->waiters; p = p->next) {
    if (aio_node_of(p)->kind != AIO_NODE_CALLBACK) continue;
    aio_handle *h = AIO_CONTAINER(p, aio_handle, node.link);
    lua_rawgetp(L, -1, h);
    aio_handle_anchor(L, h, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

void aio_future_complete(aio_future *f, enum aio_future_state state) {
  f->state = state;
  aio_loop *core = f->loop->core;
  for (aio_link *p; (p = aio_list_first(&f->waiters));) {
    aio_node *n = aio_node_of(p);
    if (core && n->kind == AIO_NODE_TASK) {
      aio_wake(core, aio_wait_of(p));
      continue;
    }
    aio_list_del(p);
    if (core) aio_loop_ready(core, n);
  }
}

static int sentinel_gc(lua_State *L) {
  aio_state *st = aio_state_up(L);
  if (lua_getiuservalue(L, 1, 1) != LUA_TUSERDATA) return 0;
  aio_future *f = lua_touserdata(L, -1);
  if (f->state != AIO_FUT_FAILED || (f->flags & AIO_FUT_RETRIEVED)) return 0;
  f->flags |= AIO_FUT_RETRIEVED;
  aio_push_hook(L, st, "never_retrieved");
  lua_pushvalue(L, 2);
  if (lua_isfunction(L, -2)) lua_call(L, 1, 0);
  return 0;
}

void aio_future_watch(lua_State *L, aio_state *st, int idx) {
  idx = lua_absindex(L, idx);
  aio_object_new(L, st, AIO_REF_SENTINEL, 1, 1);
  lua_pushvalue(L, idx);
  lua_setiuservalue(L, -2, 1);
  aio_extra_set(L, idx, "sentinel");
  aio_push_ref(L, st, AIO_REF_WATCHED);
  lua_pushvalue(L, idx);
  lua_pushboolean(L, 1);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* ---- objects ---- */

aio_future *aio_future_test(lua_State *L, const aio_state *st, int arg) {
  void *p = lua_touserdata(L, arg);
  if (!p || !lua_getmetatable(L, arg)) return NULL;
  const void *mt = lua_topointer(L, -1);
  lua_pop(L, 1);
  return mt == st->mt[AIO_REF_TASK] || mt == st->mt[AIO_REF_FUTURE] ? p : NULL;
}

aio_future *aio_future_check(lua_State *L, const aio_state *st, int arg) {
  aio_future *f = aio_future_test(L, st, arg);
  if (!f) luaL_typeerror(L, arg, "Task or Future");
  return f;
}

aio_future *aio_future_new(lua_State *L, aio_state *st, aio_lloop *loop) {
  aio_future *f = aio_object_new(L, st, AIO_REF_FUTURE, sizeof *f, AIO_FUTURE_UVS);
  aio_link_init(&f->waiters);
  f->loop = loop;
  aio_lloop_push(L, loop);
  lua_setiuservalue(L, -2, AIO_UV_THREAD);
  return f;
}

/* ---- methods of Future and Task ---- */

bool aio_future_await_cancel(aio_wait *w) {
  (void)w;
  return false;
}

static int await_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_state *st = aio_state_up(L);
  aio_task *t = (aio_task *)ctx;
  const aio_future *f = lua_touserdata(L, 1);
  /* what the future's own cancellation raises wins over a second request, as in asyncio */
  if (t->wait.node.state == AIO_IDLE && f->state == AIO_FUT_CANCELLED)
    t->tflags &= (uint8_t)~AIO_TASK_MUST_CANCEL;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, await_k);
  return aio_future_push_outcome(L, st, 1);
}

/* The task that runs is about to raise the error of the future at slot 1: its traceback shall begin
 * where that one ends, see the hook awaited_error. */
static void note_origin(lua_State *L, const aio_state *st, const aio_future *f) {
  if (f->state == AIO_FUT_FAILED && st->current) aio_task_hold(L, st->current, 1);
}

static int future_await(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_future *f = aio_future_check(L, st, 1);
  if (aio_future_done(f)) {
    note_origin(L, st, f);
    return aio_future_push_outcome(L, st, 1);
  }
  aio_task *t = aio_task_waiter(L, st);
  if (f == &t->fut)
    return aio_error_state(L, st, AIO_E_RUNTIME,
                           "a task cannot await itself; return from it, or await another task");
  if (f->loop != t->fut.loop)
    return aio_error_state(L, st, AIO_E_RUNTIME,
                           "this future belongs to another loop; await it in a task of that loop");
  lua_settop(L, 1);
  aio_task_hold(L, t, 1);
  t->wait.target = f;
  /* a cancel that came while the task ran is passed on to what it now waits for */
  if ((t->tflags & AIO_TASK_MUST_CANCEL) && aio_future_cancel(L, st, 1, aio_task_message(L, t)))
    t->tflags &= (uint8_t)~AIO_TASK_MUST_CANCEL;
  if (aio_future_done(f)) return aio_task_give_way(L, t, await_k);
  return aio_task_suspend(L, t, &f->waiters, aio_future_await_cancel, await_k);
}

static int future_done(lua_State *L) {
  lua_pushboolean(L, aio_future_done(aio_future_check(L, aio_state_up(L), 1)));
  return 1;
}

static int future_cancelled(lua_State *L) {
  lua_pushboolean(L, aio_future_check(L, aio_state_up(L), 1)->state == AIO_FUT_CANCELLED);
  return 1;
}

static int not_done(lua_State *L, aio_state *st, const char *what) {
  return aio_error_state(L, st, AIO_E_INVALID_STATE,
                         "%s is not set yet; await it, or look when done() is true", what);
}

static int future_result(lua_State *L) {
  aio_state *st = aio_state_up(L);
  const aio_future *f = aio_future_check(L, st, 1);
  if (!aio_future_done(f)) return not_done(L, st, "result");
  note_origin(L, st, f);
  return aio_future_push_outcome(L, st, 1);
}

static int future_exception(lua_State *L) {
  aio_state *st = aio_state_up(L);
  const aio_future *f = aio_future_check(L, st, 1);
  if (!aio_future_done(f)) return not_done(L, st, "exception");
  if (f->state == AIO_FUT_DONE) {
    lua_pushnil(L);
    return 1;
  }
  aio_future_push_error(L, st, 1);
  return f->state == AIO_FUT_CANCELLED ? lua_error(L) : 1;
}

static int future_cancel(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_future *f = aio_future_check(L, st, 1);
  /* who cancels does not want to hear of an error any more, as in asyncio */
  if (f->state == AIO_FUT_FAILED) f->flags |= AIO_FUT_RETRIEVED;
  lua_settop(L, 2);
  lua_pushboolean(L, aio_future_cancel(L, st, 1, lua_isnil(L, 2) ? 0 : 2));
  return 1;
}

static int future_get_loop(lua_State *L) {
  aio_lloop_push(L, aio_future_check(L, aio_state_up(L), 1)->loop);
  return 1;
}

/* ---- done callbacks ---- */

/* Pushes opts.context, or a copy of the current context. */
static void callback_context(lua_State *L, aio_state *st, int opts) {
  if (lua_isnoneornil(L, opts)) {
    aio_context_inherit(L, st);
    return;
  }
  luaL_checktype(L, opts, LUA_TTABLE);
  for (lua_pushnil(L); lua_next(L, opts); lua_pop(L, 1))
    if (lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -2), "context") != 0) {
      lua_pop(L, 1);
      luaL_argerror(L, opts,
                    lua_pushfstring(L, "unknown option '%s' (there is: context)",
                                    luaL_tolstring(L, -1, NULL)));
    }
  if (lua_getfield(L, opts, "context") != LUA_TNIL) return;
  lua_pop(L, 1);
  aio_context_inherit(L, st);
}

/* Stack: future, function, options or nil. `insist`: see bind/handle.h. */
static int add_done_callback(lua_State *L, bool insist) {
  aio_state *st = aio_state_up(L);
  aio_future *f = aio_future_check(L, st, 1);
  luaL_argexpected(L, aio_handle_callable(L, 2), 2, "function");
  if (!f->loop->core)
    return aio_error_state(L, st, AIO_E_RUNTIME, "the loop of this future is closed");
  callback_context(L, st, 3); /* at the top, below the handle */
  int context = lua_gettop(L);
  if (!aio_future_done(f) && push_callbacks(L, 1) == LUA_TNIL) {
    lua_newtable(L);
    aio_extra_set(L, 1, "callbacks");
  }
  lua_settop(L, context);
  aio_handle *h = aio_handle_new(L, st, f->loop, 1);
  if (insist) aio_handle_insist(h);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_FN);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_ARG);
  lua_pushvalue(L, context);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_CONTEXT);
  /* from here on no finalizer can run: the future and its loop stay as they are */
  aio_lloop_check_open(L, f->loop);
  if (aio_future_done(f)) {
    aio_handle_anchor(L, h, -1);
    aio_loop_ready(f->loop->core, &h->node);
    return 0;
  }
  push_callbacks(L, 1);
  lua_pushvalue(L, context + 1);
  lua_rawsetp(L, -2, h);
  /* a task's end cannot wait for memory, so its callbacks are anchored from the start */
  if (f->flags & AIO_FUT_IS_TASK) aio_handle_anchor(L, h, context + 1);
  f->flags |= AIO_FUT_CALLBACKS;
  h->node.state = AIO_PENDING;
  aio_list_push(&f->waiters, &h->node.link);
  return 0;
}

static int future_add_done_callback(lua_State *L) {
  return add_done_callback(L, false);
}

/* core._when_done(future, fn): add_done_callback for aio's own callbacks, see aio_handle_insist. */
static int when_done(lua_State *L) {
  lua_settop(L, 2);
  return add_done_callback(L, true);
}

static int future_remove_done_callback(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_future *f = aio_future_check(L, st, 1);
  luaL_argexpected(L, aio_handle_callable(L, 2), 2, "function");
  lua_settop(L, 2);
  int removed = 0;
  if (push_callbacks(L, 1) == LUA_TTABLE)
    for (aio_link *p = f->waiters.next, *next; p != &f->waiters; p = next) {
      next = p->next;
      if (aio_node_of(p)->kind != AIO_NODE_CALLBACK) continue;
      aio_handle *h = AIO_CONTAINER(p, aio_handle, node.link);
      lua_rawgetp(L, 3, h);
      lua_getiuservalue(L, -1, AIO_HANDLE_UV_FN);
      if (lua_rawequal(L, -1, 2)) {
        aio_list_del(p);
        h->node.state = AIO_IDLE;
        aio_handle_unanchor(L, h);
        lua_pushnil(L);
        lua_rawsetp(L, 3, h);
        removed++;
      }
      lua_settop(L, 3);
    }
  lua_pushinteger(L, removed);
  return 1;
}

/* ---- methods of Future alone ---- */

static aio_future *pending(lua_State *L, aio_state *st, const char *what) {
  aio_future *f = aio_object_check(L, st, 1, AIO_REF_FUTURE);
  if (aio_future_done(f))
    aio_error_state(L, st, AIO_E_INVALID_STATE, "%s: this future is done already", what);
  return f;
}

static int future_set_result(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_future *f = pending(L, st, "set_result");
  uint8_t kind = aio_future_pack(L, 2);
  if (aio_future_done(f)) pending(L, st, "set_result"); /* a finalizer has used it */
  aio_future_prepare(L, st, 1);
  aio_future_put(L, 1, f, kind);
  aio_future_complete(f, AIO_FUT_DONE);
  return 0;
}

static int future_set_exception(lua_State *L) {
  aio_state *st = aio_state_up(L);
  luaL_argcheck(L, !lua_isnoneornil(L, 2), 2, "an error expected, got nil");
  aio_future *f = pending(L, st, "set_exception");
  lua_settop(L, 2);
  aio_future_watch(L, st, 1);
  pending(L, st, "set_exception"); /* again: a finalizer may have used it */
  aio_future_prepare(L, st, 1);
  lua_setiuservalue(L, 1, AIO_UV_RESULT);
  aio_future_complete(f, AIO_FUT_FAILED);
  return 0;
}

const char *aio_future_state_name(const aio_future *f) {
  static const char *const names[] = {"pending", "done", "failed", "cancelled"};
  return names[f->state];
}

static int future_tostring(lua_State *L) {
  const aio_future *f = aio_object_check(L, aio_state_up(L), 1, AIO_REF_FUTURE);
  lua_pushfstring(L, "Future: %p (%s)", f, aio_future_state_name(f));
  return 1;
}

/* aio.Future() and loop:create_future(). */
static int future_make(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_future_new(L, st, aio_lloop_here(L, st));
  return 1;
}

int aio_future_make_on(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_future_new(L, st, aio_lloop_check(L, st, 1));
  return 1;
}

/* core.watched(loop): the failed futures of a loop at whose error nobody has looked; they count as
 * looked at from now on. */
static int watched(lua_State *L) {
  aio_state *st = aio_state_up(L);
  const aio_lloop *l = aio_lloop_at(L, st, 1);
  lua_newtable(L);
  aio_push_ref(L, st, AIO_REF_WATCHED);
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    aio_future *f = lua_touserdata(L, -2);
    if (f->loop != l || f->state != AIO_FUT_FAILED || (f->flags & AIO_FUT_RETRIEVED)) continue;
    lua_pushvalue(L, -2);
    lua_rawseti(L, 2, (lua_Integer)lua_rawlen(L, 2) + 1);
    f->flags |= AIO_FUT_RETRIEVED;
  }
  lua_settop(L, 2);
  return 1;
}

/* core.retrieved(future): nobody needs to hear of its error. */
static int retrieved(lua_State *L) {
  aio_future_check(L, aio_state_up(L), 1)->flags |= AIO_FUT_RETRIEVED;
  return 0;
}

/* core._delegate(future, list): a cancel of the future goes to the futures of the list, and sets
 * its field `cancelled`, which must exist, when one of them was still pending. */
static int delegate(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_future *f = aio_object_check(L, st, 1, AIO_REF_FUTURE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  aio_extra_set(L, 1, "delegate");
  f->flags |= AIO_FUT_DELEGATES;
  return 0;
}

/* core._failed(future): has it ended with an error? Does not count as a look at it. */
static int failed(lua_State *L) {
  lua_pushboolean(L, aio_future_check(L, aio_state_up(L), 1)->state == AIO_FUT_FAILED);
  return 1;
}

static int isfuture(lua_State *L) {
  lua_pushboolean(L, aio_future_test(L, aio_state_up(L), 1) != NULL);
  return 1;
}

const luaL_Reg aio_future_methods[] = {{"await", future_await},
                                       {"done", future_done},
                                       {"cancelled", future_cancelled},
                                       {"result", future_result},
                                       {"exception", future_exception},
                                       {"cancel", future_cancel},
                                       {"get_loop", future_get_loop},
                                       {"add_done_callback", future_add_done_callback},
                                       {"remove_done_callback", future_remove_done_callback},
                                       {NULL, NULL}};

void aio_future_open(lua_State *L, aio_state *st) {
  static const luaL_Reg own[] = {{"set_result", future_set_result},
                                 {"set_exception", future_set_exception},
                                 {"__tostring", future_tostring},
                                 {NULL, NULL}};
  static const luaL_Reg gc[] = {{"__gc", sentinel_gc}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"Future", future_make}, {"isfuture", isfuture},
                                 {"_watched", watched},   {"_retrieved", retrieved},
                                 {"_failed", failed},     {"_when_done", when_done},
                                 {"_delegate", delegate}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_FUTURE, "Future", aio_future_methods, own);
  lua_setfield(L, -2, "_Future");
  aio_class_open(L, st, AIO_REF_SENTINEL, "aio.sentinel", NULL, gc);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
