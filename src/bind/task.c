/* SPDX-License-Identifier: MIT
 *
 * The class Task: making, cancelling and asking tasks. The step that runs one is in step.c, how it
 * waits in suspend.c. Invariant: an unfinished task has a slot in the anchor table. */
#include "bind/task.h"

#include "bind/error.h"
#include "bind/gather.h"
#include "bind/handle.h"
#include "bind/lloop.h"
#include "bind/made.h"

/* ---- making ---- */

/* Puts function and arguments into the user values: they move to the coroutine at the start. */
static void store_call(lua_State *L, aio_task *t, int self, int fn, int nargs) {
  if (nargs == 1) {
    lua_pushvalue(L, fn + 1);
    lua_setiuservalue(L, self, AIO_UV_RESULT);
  } else if (nargs > 1) {
    lua_createtable(L, nargs, 1);
    for (int i = 1; i <= nargs; i++) {
      lua_pushvalue(L, fn + i);
      lua_rawseti(L, -2, i);
    }
    lua_pushinteger(L, nargs);
    lua_setfield(L, -2, "n");
    lua_setiuservalue(L, self, AIO_UV_RESULT);
  }
  lua_pushvalue(L, fn);
  lua_setiuservalue(L, self, AIO_UV_THREAD);
  t->nargs = (uint8_t)(nargs > 2 ? 2 : nargs);
}

aio_task *aio_task_new(lua_State *L, aio_state *st, aio_lloop *loop, int nargs) {
  int fn = lua_gettop(L) - nargs;
  aio_task *t = aio_object_new(L, st, AIO_REF_TASK, sizeof *t, AIO_TASK_UVS);
  int self = fn + nargs + 1;
  aio_link_init(&t->fut.waiters);
  aio_link_init(&t->wait.node.link);
  t->fut.loop = loop;
  t->fut.flags = AIO_FUT_IS_TASK;
  t->id = ++st->task_id;
  store_call(L, t, self, fn, nargs);
  aio_context_inherit(L, st);
  aio_context_give(L, self);
  if (loop->debug) aio_made_note(L, st, self);
  aio_lloop_check_open(L, loop);
  t->slot = aio_anchor(L, st, self);
  lua_replace(L, fn);
  lua_settop(L, fn);
  st->ntasks++;
  aio_lloop_hold(L, loop);
  aio_loop_ready(loop->core, &t->wait.node);
  return t;
}

void aio_task_push(lua_State *L, aio_task *t) {
  aio_push_anchored(L, t->fut.loop->st, t->slot);
}

aio_task *aio_task_test(lua_State *L, const aio_state *st, int arg) {
  return aio_object_test(L, st, arg, AIO_REF_TASK);
}

static aio_task *check(lua_State *L) {
  return aio_object_check(L, aio_state_up(L), 1, AIO_REF_TASK);
}

void aio_task_set_extra(lua_State *L, aio_task *t, const char *key) {
  aio_task_push(L, t);
  lua_insert(L, -2);
  aio_extra_set(L, -2, key);
  lua_pop(L, 1);
}

/* A thread that has not started is a function and its arguments: they are taken out of it. */
static bool fresh_thread(lua_State *L, int arg) {
  lua_State *co = lua_tothread(L, arg);
  lua_Debug ar;
  return co && co != L && lua_status(co) == LUA_OK && !lua_getstack(co, 0, &ar) &&
         lua_gettop(co) > 0;
}

static int iscoroutine(lua_State *L) {
  lua_pushboolean(L, fresh_thread(L, 1));
  return 1;
}

/* Why no task can run the value at `fn`, with what was probably meant; NULL when one can. The text
 * is at the top. */
static const char *refusal(lua_State *L, const aio_state *st, int fn) {
  if (lua_isfunction(L, fn) || fresh_thread(L, fn)) return NULL;
  if (aio_future_test(L, st, fn) || luaL_getmetafield(L, fn, "__await") != LUA_TNIL)
    return lua_pushliteral(
        L, "function expected, got an awaitable; use ensure_future(x), or await it");
  if (aio_handle_callable(L, fn)) return NULL;
  return lua_pushfstring(L, "function expected, got %s; did you call it? write create_task(f, 1)",
                         luaL_typename(L, fn));
}

/* Checks the function at `fn`, and takes it out of a thread. */
static void check_function(lua_State *L, aio_state *st, int fn) {
  if (lua_isfunction(L, fn)) return;
  const char *why = refusal(L, st, fn);
  if (why) luaL_argerror(L, fn, why);
  if (fresh_thread(L, fn)) {
    lua_State *co = lua_tothread(L, fn);
    int n = lua_gettop(co);
    luaL_checkstack(L, n, "too many arguments");
    lua_xmove(co, L, n);
    lua_rotate(L, fn, n);
    lua_remove(L, fn + n);
  }
}

/* core._refusal(fn): why create_task would refuse it, or nil. */
static int task_refusal(lua_State *L) {
  if (!refusal(L, aio_state_up(L), 1)) lua_pushnil(L);
  return 1;
}

/* Anything but a plain create_task goes through Lua: factories, eager starts, names, contexts. */
static int create_on(lua_State *L, aio_state *st, aio_lloop *l, int fn) {
  check_function(L, st, fn);
  if (l->factory) {
    aio_push_hook(L, st, "create_by_factory");
    lua_insert(L, fn);
    aio_lloop_push(L, l);
    lua_insert(L, fn + 1);
    lua_call(L, lua_gettop(L) - fn, 1);
    return 1;
  }
  aio_task_new(L, st, l, lua_gettop(L) - fn);
  return 1;
}

static void refuse_closing(lua_State *L, aio_state *st, const aio_lloop *l) {
  if (l->closing) aio_error_state(L, st, AIO_E_RUNTIME, "the loop is shutting down: no new tasks");
}

/* aio.create_task(fn, ...) */
static int create_task(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_here(L, st);
  refuse_closing(L, st, l);
  return create_on(L, st, l, 1);
}

/* loop:create_task(fn, ...) */
int aio_task_create_on(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, 1);
  refuse_closing(L, st, l);
  return create_on(L, st, l, 2);
}

/* core._task(loop, context or nil, fn, ...): a task without factory or checks, not yet stepped. */
static int task_raw(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, 1);
  check_function(L, st, 3);
  aio_task_new(L, st, l, lua_gettop(L) - 3);
  if (!lua_isnil(L, 2)) {
    lua_pushvalue(L, 2);
    aio_context_give(L, 3);
  }
  return 1;
}

/* core._step_now(task): the first step at once (eager start). */
static int step_now(lua_State *L) {
  aio_task *t = check(L);
  aio_list_del(&t->wait.node.link);
  aio_task_step(L, t);
  return 0;
}

/* ---- cancelling ---- */

enum { MOST_NESTED = 1000 }; /* gathers in each other that a cancel goes through: C's stack ends */

int aio_task_message(lua_State *L, aio_task *t) {
  if (!(t->tflags & AIO_TASK_MESSAGE)) return 0;
  aio_task_push(L, t);
  aio_extra_get(L, -1, "cancel_message");
  lua_replace(L, -2);
  return lua_gettop(L);
}

/* The task that `t` awaits, when a cancel is to be passed on to it. */
static aio_future *awaited(const aio_task *t) {
  return t->wait.node.state == AIO_PENDING && t->wait.cancel == aio_future_await_cancel
             ? t->wait.target
             : NULL;
}

/* Follows the chain of awaits: the last task on it. Tasks that await each other in a ring end it.
 */
static aio_task *last_awaited(aio_task *t) {
  aio_task *last = t;
  for (;;) {
    last->tflags |= AIO_TASK_VISITED;
    aio_future *f = awaited(last);
    if (!f || !(f->flags & AIO_FUT_IS_TASK)) break;
    aio_task *next = (aio_task *)f;
    if (next->tflags & AIO_TASK_VISITED) break;
    last = next;
  }
  for (aio_task *p = t;; p = (aio_task *)awaited(p)) {
    p->tflags &= (uint8_t)~AIO_TASK_VISITED;
    if (p == last) return last;
  }
}

/* Counts the request on every task of the chain from `t` to `last`. */
static void count_requests(aio_task *t, aio_task *last) {
  for (;; t = (aio_task *)awaited(t)) {
    t->cancelling++;
    if (t == last) return;
  }
}

static void set_message(lua_State *L, aio_task *t, int msg) {
  if (!msg && !(t->tflags & AIO_TASK_MESSAGE)) return;
  if (msg)
    lua_pushvalue(L, msg);
  else
    lua_pushnil(L);
  aio_task_set_extra(L, t, "cancel_message");
}

/* Is it what a cancel is being passed on through, so that meeting it again means a ring? */
static bool passing(const aio_state *st, const aio_future *f) {
  return (f->flags & AIO_FUT_DELEGATES) && f->top == st->cancel;
}

static bool cancel_task(lua_State *L, aio_state *st, int idx, int msg) {
  aio_task *t = lua_touserdata(L, idx);
  if (aio_future_done(&t->fut)) return false;
  luaL_checkstack(L, LUA_MINSTACK, "gathers too deep");
  aio_task *last = last_awaited(t);
  aio_future *f = awaited(last);
  bool is_gather = !f && aio_gather_waits(last);
  bool is_ring = f ? (f->flags & AIO_FUT_IS_TASK) || passing(st, f)
                   : is_gather && aio_gather_passing(st, last);
  bool is_future = f && !is_ring;
  is_gather = is_gather && !is_ring;
  if (is_future) { /* a plain future ends the chain: it is cancelled */
    aio_task_push(L, last);
    lua_getiuservalue(L, -1, AIO_UV_RESULT);
    bool taken = aio_future_pass_cancel(L, st, lua_gettop(L), msg);
    lua_pop(L, 2);
    if (taken) {
      count_requests(t, last);
      return true;
    }
  }
  if (is_gather && aio_gather_cancel(L, st, last, msg)) {
    count_requests(t, last);
    return true;
  }
  if (!(last->tflags & AIO_TASK_WITHDRAWN)) {
    set_message(L, last, msg);
    if (msg)
      last->tflags |= AIO_TASK_MESSAGE;
    else
      last->tflags &= (uint8_t)~AIO_TASK_MESSAGE;
  }
  count_requests(t, last); /* last, because a request that fails for want of memory is repeated */
  last->tflags |= AIO_TASK_MUST_CANCEL;
  /* a gather whose children have all ended wakes the task by itself */
  if (is_future || is_gather || last->wait.node.state != AIO_PENDING) return true;
  last->tflags |= AIO_TASK_WITHDRAWN;
  if (!last->wait.cancel || is_ring || !last->wait.cancel(&last->wait))
    aio_wake(last->fut.loop->core, &last->wait);
  return true;
}

/* Cancels the jobs behind the future at `idx`; notes in their list that one was still running. */
static bool cancel_delegates(lua_State *L, aio_state *st, int idx, int msg) {
  aio_future *f = lua_touserdata(L, idx);
  bool any = false;
  if (passing(st, f)) return false;
  luaL_checkstack(L, LUA_MINSTACK, "gathers too deep");
  aio_extra_get(L, idx, "delegate");
  int list = lua_gettop(L);
  lua_Integer n = (lua_Integer)lua_rawlen(L, list);
  f->top = st->cancel;
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, list, i);
    any |= aio_future_pass_cancel(L, st, lua_gettop(L), msg);
    lua_settop(L, list);
  }
  f->top = 0;
  if (any) { /* the key exists: no memory needed */
    lua_pushboolean(L, 1);
    lua_setfield(L, list, "cancelled");
  }
  lua_pop(L, 1);
  return any;
}

/* A plain future is cancelled at once. */
static bool cancel_future(lua_State *L, aio_state *st, int idx, int msg) {
  aio_future *f = lua_touserdata(L, idx);
  aio_future_prepare(L, st, idx);
  if (msg) {
    lua_pushvalue(L, msg);
    aio_extra_set(L, idx, "cancel_message");
    if (aio_future_done(f)) return false; /* a finalizer did it */
    aio_future_prepare(L, st, idx);
  }
  aio_future_complete(f, AIO_FUT_CANCELLED);
  return true;
}

bool aio_future_pass_cancel(lua_State *L, aio_state *st, int idx, int msg) {
  const aio_future *f = lua_touserdata(L, idx);
  if (aio_future_done(f)) return false;
  if (st->cancel_depth >= MOST_NESTED)
    aio_error_state(L, st, AIO_E_RUNTIME, "cancel: gathers are nested more than %d deep",
                    MOST_NESTED);
  idx = lua_absindex(L, idx);
  st->cancel_depth++;
  bool taken = (f->flags & AIO_FUT_IS_TASK)     ? cancel_task(L, st, idx, msg)
               : (f->flags & AIO_FUT_DELEGATES) ? cancel_delegates(L, st, idx, msg)
                                                : cancel_future(L, st, idx, msg);
  st->cancel_depth--;
  return taken;
}

void aio_cancel_begin(aio_state *st) {
  if (++st->cancels == 0) st->cancels = 1; /* 0 stands for none */
  st->cancel = st->cancels;
  st->cancel_depth = 0;
}

bool aio_future_cancel(lua_State *L, aio_state *st, int idx, int msg) {
  uint32_t cancel = st->cancel, depth = st->cancel_depth; /* around a finalizer's */
  aio_cancel_begin(st);
  bool taken = aio_future_pass_cancel(L, st, idx, msg);
  st->cancel = cancel;
  st->cancel_depth = depth;
  return taken;
}

static int task_cancelling(lua_State *L) {
  lua_pushinteger(L, check(L)->cancelling);
  return 1;
}

static int task_uncancel(lua_State *L) {
  aio_task *t = check(L);
  if (t->cancelling && --t->cancelling == 0) t->tflags &= (uint8_t)~AIO_TASK_MUST_CANCEL;
  lua_pushinteger(L, t->cancelling);
  return 1;
}

/* ---- asking ---- */

static int task_get_name(lua_State *L) {
  const aio_task *t = check(L);
  if (aio_extra_get(L, 1, "name") == LUA_TNIL) lua_pushfstring(L, "Task-%d", (int)t->id);
  return 1;
}

static const char *state_name(const aio_task *t) {
  if (aio_future_done(&t->fut)) return aio_future_state_name(&t->fut);
  if (!(t->tflags & AIO_TASK_STARTED)) return "not started";
  if (t->wait.node.state == AIO_PENDING) return "waiting";
  return t->wait.node.state == AIO_READY ? "ready" : "running";
}

static int task_tostring(lua_State *L) {
  const aio_task *t = check(L);
  task_get_name(L);
  lua_pushfstring(L, "Task: %p (%s, %s)", t, lua_tostring(L, -1), state_name(t));
  return 1;
}

static int tostring_protected(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

static int task_set_name(lua_State *L) {
  aio_state *st = aio_state_up(L);
  check(L);
  luaL_checkany(L, 2);
  st->atomic = true; /* __tostring may not wait */
  lua_pushcfunction(L, tostring_protected);
  lua_pushvalue(L, 2);
  int status = lua_pcall(L, 1, 1, 0);
  st->atomic = false;
  if (status != LUA_OK) return lua_error(L);
  aio_extra_set(L, 1, "name");
  return 0;
}

static int task_get_coro(lua_State *L) {
  aio_task *t = check(L);
  if (!(t->tflags & AIO_TASK_STARTED) || aio_future_done(&t->fut)) {
    lua_pushnil(L);
    return 1;
  }
  t->tflags |= AIO_TASK_EXPOSED;
  lua_getiuservalue(L, 1, AIO_UV_THREAD);
  return 1;
}

static int current_task(lua_State *L) {
  aio_state *st = aio_state_up(L);
  if (!st->running)
    return aio_error_state(L, st, AIO_E_RUNTIME, "no running loop; use aio.run(fn, ...)");
  if (st->current)
    aio_task_push(L, st->current);
  else
    lua_pushnil(L); /* a value, not nothing: it may be an argument */
  return 1;
}

/* aio.all_tasks(loop): the unfinished tasks, in no particular order. */
static int all_tasks(lua_State *L) {
  aio_state *st = aio_state_up(L);
  const aio_lloop *l = lua_isnoneornil(L, 1) ? aio_lloop_here(L, st) : aio_lloop_at(L, st, 1);
  lua_settop(L, 0);
  lua_newtable(L);
  aio_push_ref(L, st, AIO_REF_ANCHORS);
  lua_Integer n = 0;
  for (uint32_t s = 1; s <= st->slots; s++) {
    lua_rawgeti(L, 2, s);
    const aio_task *t = aio_task_test(L, st, -1);
    if (t && t->fut.loop == l)
      lua_rawseti(L, 1, ++n);
    else
      lua_pop(L, 1);
  }
  lua_settop(L, 1);
  return 1;
}

/* core._info(task): started, id, waits (boolean), the thread, what it waits for (userdata or nil),
 * extra table. For the inspection modules. */
static int task_info(lua_State *L) {
  const aio_task *t = check(L);
  bool waits = t->wait.node.state == AIO_PENDING;
  lua_pushboolean(L, t->tflags & AIO_TASK_STARTED);
  lua_pushinteger(L, t->id);
  lua_pushboolean(L, waits);
  if ((t->tflags & AIO_TASK_STARTED) && !aio_future_done(&t->fut))
    lua_getiuservalue(L, 1, AIO_UV_THREAD);
  else
    lua_pushnil(L);
  if (waits && t->wait.target)
    lua_getiuservalue(L, 1, AIO_UV_RESULT);
  else
    lua_pushnil(L);
  lua_getiuservalue(L, 1, AIO_UV_EXTRA);
  return 6;
}

/* core._extra(future, key[, value]) reads or sets a rare field. */
static int extra(lua_State *L) {
  aio_future_check(L, aio_state_up(L), 1);
  const char *key = luaL_checkstring(L, 2);
  if (lua_gettop(L) > 2) {
    lua_settop(L, 3);
    aio_extra_set(L, 1, key);
    return 0;
  }
  aio_extra_get(L, 1, key);
  return 1;
}

/* core._cancel_pending(task): whether a CancelledError will be raised at its next step. */
static int cancel_pending(lua_State *L) {
  lua_pushboolean(L, check(L)->tflags & AIO_TASK_MUST_CANCEL);
  return 1;
}

/* core._scopes(task, on): whether scopes are open that its end must close. */
static int set_scopes(lua_State *L) {
  aio_task *t = check(L);
  if (lua_toboolean(L, 2))
    t->tflags |= AIO_TASK_SCOPES;
  else
    t->tflags &= (uint8_t)~AIO_TASK_SCOPES;
  return 0;
}

/* core._inject(task, err): the task raises err where it waits. */
static int inject(lua_State *L) {
  aio_task *t = check(L);
  lua_settop(L, 2);
  if (aio_future_done(&t->fut)) return 0;
  aio_task_set_extra(L, t, "inject");
  t->tflags |= AIO_TASK_INJECT;
  aio_wake(t->fut.loop->core, &t->wait);
  return 0;
}

void aio_task_open(lua_State *L, aio_state *st) {
  static const luaL_Reg own[] = {{"cancelling", task_cancelling},
                                 {"uncancel", task_uncancel},
                                 {"get_name", task_get_name},
                                 {"set_name", task_set_name},
                                 {"get_coro", task_get_coro},
                                 {"__tostring", task_tostring},
                                 {NULL, NULL}};
  static const luaL_Reg fns[] = {{"create_task", create_task},
                                 {"current_task", current_task},
                                 {"all_tasks", all_tasks},
                                 {"iscoroutine", iscoroutine},
                                 {"_refusal", task_refusal},
                                 {"_task", task_raw},
                                 {"_step_now", step_now},
                                 {"_info", task_info},
                                 {"_extra", extra},
                                 {"_scopes", set_scopes},
                                 {"_cancel_pending", cancel_pending},
                                 {"_inject", inject},
                                 {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_TASK, "Task", aio_future_methods, own);
  lua_setfield(L, -2, "_Task");
  aio_setfuncs(L, st, fns);
}
