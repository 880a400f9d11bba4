/* SPDX-License-Identifier: MIT
 *
 * Calls from thread to thread, see the header. Started by executors and by
 * run_coroutine_threadsafe. Invariant: a call that was handed over is answered exactly once,
 * whatever happens over there. */
#include "bind/call.h"

#include <stdlib.h>
#include <string.h>

#include "bind/error.h"
#include "bind/worker.h"

enum { BOX_TASK = 1 }; /* user value of a box */

/* ---- references ---- */

void aio_call_retain(aio_call *call) {
  atomic_fetch_add(&call->refs, 1);
}

void aio_call_release(aio_call *call) {
  if (atomic_fetch_sub(&call->refs, 1) > 1) return;
  if (call->promise) aio_promise_release(call->promise);
  if (call->to) aio_port_release(call->to);
  if (call->crew) aio_crew_release(call->crew);
  aio_blob_fini(&call->args);
  aio_blob_fini(&call->outcome);
  free(call);
}

static int box_gc(lua_State *L) {
  aio_call **box = lua_touserdata(L, 1);
  if (*box) aio_call_release(*box);
  *box = NULL;
  return 0;
}

/* Pushes a box that will hold a reference. */
static aio_call **box_new(lua_State *L, const aio_state *st) {
  return aio_object_new(L, st, AIO_REF_CALL, sizeof(aio_call *), 1);
}

/* ---- the caller's side ---- */

aio_call *aio_call_new(lua_State *L, aio_state *st, int first, int n, aio_copy_names names) {
  aio_call **box = box_new(L, st);
  aio_call *call = *box = calloc(1, sizeof *call);
  if (!call) luaL_error(L, "not enough memory");
  atomic_init(&call->refs, 1);
  aio_link_init(&call->link);
  aio_link_init(&call->ended.node.link);
  aio_link_init(&call->object.link);
  aio_copy_out(L, st, first, n, names, &call->args);
  return call;
}

void aio_call_future(lua_State *L, aio_call *call, void (*gone)(void *ud, bool unwanted)) {
  call->promise = aio_promise_open(L);
  if (!call->promise) lua_error(L);
  aio_call_retain(call); /* for `gone` */
  aio_promise_on_gone(call->promise, gone, call);
}

/* Pushes the results, or raises the error. Runs in the caller's thread; the future is at 2. */
static int push_outcome(lua_State *L, void *ud) {
  aio_call *call = ud;
  aio_state *st = aio_state_of(L);
  enum { FUTURE = 2 };
  switch (call->how) {
  case AIO_CALL_VALUES:
    return aio_copy_in(L, st, &call->outcome);
  case AIO_CALL_ERROR:
    aio_copy_in(L, st, &call->outcome);
    if (lua_isnil(L, -1))
      lua_pop(L, 1);
    else
      aio_extra_set(L, FUTURE, "traceback");
    return lua_error(L);
  case AIO_CALL_MESSAGE:
    aio_error_new(L, st, AIO_E_RUNTIME, call->outcome.data);
    return lua_error(L);
  case AIO_CALL_NOMEM:
    aio_error_new(L, st, AIO_E_RUNTIME,
                  "not enough memory in the thread that ran this call (see memory_limit); its "
                  "worker is replaced");
    return lua_error(L);
  default:
    aio_error_new(L, st, AIO_E_RUNTIME, "the loop that was to run this call was closed");
    return lua_error(L);
  }
}

static void drop_outcome(void *ud) {
  aio_call_release(ud);
}

void aio_call_answer(aio_call *call, enum aio_call_outcome how) {
  aio_promise *promise = call->promise;
  call->how = (uint8_t)how;
  call->promise = NULL;
  aio_blob_fini(&call->args);
  if (how == AIO_CALL_CANCELLED) {
    aio_promise_cancel(promise);
  } else {
    aio_call_retain(call);
    if (aio_promise_set_kept(promise, push_outcome, drop_outcome, call) != AIO_HOST_OK)
      aio_call_release(call);
  }
  aio_promise_release(promise);
  aio_call_release(call);
}

/* Writes a text as the outcome. */
static enum aio_call_outcome write_message(aio_call *call, const char *message) {
  aio_blob_fini(&call->outcome);
  bool ok = aio_blob_put(&call->outcome, message, strlen(message) + 1);
  return ok ? AIO_CALL_MESSAGE : AIO_CALL_NOMEM;
}

void aio_call_answer_message(aio_call *call, const char *message) {
  aio_call_answer(call, write_message(call, message));
}

/* ---- the side that is called ---- */

static int return_all_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return lua_gettop(L) - (int)ctx;
}

/* The body of the task: makes the arguments, and calls. Stack: the box. [may yield] */
static int body(lua_State *L) {
  enum { BOX = 1, CONTEXT, FN };
  aio_state *st = aio_state_up(L);
  aio_call *call = *(aio_call **)lua_touserdata(L, BOX);
  int n = aio_copy_in(L, st, &call->args);
  aio_blob_fini(&call->args);
  if (!lua_isnil(L, CONTEXT)) {
    aio_push_hook(L, st, "enter_context");
    lua_pushvalue(L, CONTEXT);
    lua_call(L, 1, 0);
  }
  lua_callk(L, n - FN + 1, LUA_MULTRET, CONTEXT, return_all_k);
  return return_all_k(L, LUA_OK, CONTEXT);
}

/* Stack: the task. Writes its results, or its error, as the outcome. */
static int write_protected(lua_State *L) {
  aio_call *call = lua_touserdata(L, 1);
  aio_state *st = aio_state_of(L);
  const aio_future *f = lua_touserdata(L, 2);
  if (f->state == AIO_FUT_DONE) {
    int n = aio_future_push_outcome(L, st, 2);
    aio_copy_out(L, st, lua_gettop(L) - n + 1, n, (aio_copy_names){"result", 1, 0}, &call->outcome);
  } else {
    aio_future_push_error(L, st, 2);
    if (aio_error_is_memory(L, -1)) return lua_error(L);
    aio_extra_get(L, 2, "traceback");
    aio_copy_out(L, st, 3, 2, (aio_copy_names){"the error", -1, 0}, &call->outcome);
  }
  return 0;
}

/* Stack: the call, an error that cannot cross as it is, why not. Writes one that tells of both. */
static int rewrite_protected(lua_State *L) {
  enum { CALL = 1, WHAT, WHY };
  aio_call *call = lua_touserdata(L, CALL);
  aio_state *st = aio_state_of(L);
  if (lua_isnil(L, WHAT)) {
    lua_pushvalue(L, WHY);
  } else {
    const char *error = aio_error_text(L, WHAT), *why = aio_error_text(L, WHY);
    const char *message = lua_pushfstring(L, "%s (%s)", error, why);
    aio_error_new(L, st, AIO_E_RUNTIME, message);
  }
  lua_pushnil(L);
  aio_copy_out(L, st, lua_gettop(L) - 1, 2, (aio_copy_names){"the error", -1, 0}, &call->outcome);
  return 0;
}

/* Takes what rewrite_protected needs from the top, and calls it. Only for want of memory is there
 * nothing to tell. */
static enum aio_call_outcome rewrite(lua_State *L, aio_call *call) {
  lua_pushcfunction(L, rewrite_protected);
  lua_insert(L, -3);
  lua_pushlightuserdata(L, call);
  lua_insert(L, -3);
  if (lua_pcall(L, 3, 0, 0) == LUA_OK) return AIO_CALL_ERROR;
  bool memory = aio_error_is_memory(L, -1);
  lua_pop(L, 1);
  if (!memory) return write_message(call, "the error of this call cannot be copied");
  aio_blob_fini(&call->outcome);
  return AIO_CALL_NOMEM;
}

/* Writes the task's outcome; its object is at the top. */
static enum aio_call_outcome write_outcome(lua_State *L, aio_call *call) {
  int task = lua_gettop(L);
  const aio_future *f = lua_touserdata(L, task);
  if (f->state == AIO_FUT_CANCELLED) return AIO_CALL_CANCELLED;
  lua_pushcfunction(L, write_protected);
  lua_pushlightuserdata(L, call);
  lua_pushvalue(L, task);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK)
    return f->state == AIO_FUT_DONE ? AIO_CALL_VALUES : AIO_CALL_ERROR;
  if (aio_error_is_memory(L, -1)) {
    lua_settop(L, task);
    return AIO_CALL_NOMEM;
  }
  if (f->state == AIO_FUT_DONE)
    lua_pushnil(L);
  else
    lua_getiuservalue(L, task, AIO_UV_RESULT);
  lua_pushvalue(L, task + 1);
  enum aio_call_outcome how = rewrite(L, call);
  lua_settop(L, task);
  return how;
}

void aio_call_answer_error(lua_State *L, aio_call *call) {
  if (aio_error_is_memory(L, -1)) {
    lua_pop(L, 1);
    aio_blob_fini(&call->outcome);
    aio_call_answer(call, AIO_CALL_NOMEM);
    return;
  }
  lua_pushnil(L);
  lua_insert(L, -2);
  aio_call_answer(call, rewrite(L, call));
}

/* The task is over for this call; the box may go. */
static void forget(lua_State *L, aio_call *call) {
  aio_list_del(&call->ended.node.link);
  aio_list_del(&call->object.link);
  aio_unanchor(L, call->loop->st, call->slot);
  call->task = NULL;
  aio_lloop_release(L, call->loop);
}

void aio_call_disown(lua_State *L, aio_call *call) {
  if (call->task) forget(L, call);
}

static void ended_run(aio_loop *core, aio_cnode *c) {
  aio_call *call = AIO_CONTAINER(c, aio_call, ended);
  aio_lloop *l = core->owner;
  lua_State *L = l->L;
  aio_list_del(&c->node.link);
  aio_push_anchored(L, l->st, call->slot);
  lua_getiuservalue(L, -1, BOX_TASK);
  enum aio_call_outcome how = write_outcome(L, call);
  lua_pop(L, 2);
  forget(L, call);
  if (call->crew)
    aio_worker_ended(l->st->worker, call, how);
  else
    aio_call_answer(call, how);
}

/* The loop closes. */
static void call_detach(aio_object *o) {
  aio_call *call = AIO_CONTAINER(o, aio_call, object);
  forget(call->loop->L, call);
  if (call->crew)
    aio_worker_ended(call->loop->st->worker, call, AIO_CALL_ABANDONED);
  else
    aio_call_answer(call, AIO_CALL_ABANDONED);
}

/* Stack: light userdata of the call, of the loop. */
static int begin_protected(lua_State *L) {
  aio_call *call = lua_touserdata(L, 1);
  aio_lloop *l = lua_touserdata(L, 2);
  aio_state *st = l->st;
  aio_call **box = box_new(L, st);
  int slot_of = lua_gettop(L);
  aio_call_retain(call);
  *box = call;
  call->loop = l;
  call->slot = aio_anchor(L, st, slot_of);
  aio_push_ref(L, st, AIO_REF_STATE);
  lua_pushcclosure(L, body, 1);
  lua_pushvalue(L, slot_of);
  aio_task *t = aio_task_new(L, st, l, 1);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, slot_of, BOX_TASK);
  lua_pushnil(L); /* not the context of whoever happens to run here */
  aio_context_give(L, lua_gettop(L) - 1);
  t->fut.flags |= AIO_FUT_RETRIEVED; /* the caller hears of its error */
  call->task = t;                    /* from here on nothing can fail */
  call->ended.run = ended_run;
  call->ended.node.kind = AIO_NODE_C;
  call->ended.node.state = AIO_PENDING;
  aio_list_push(&t->fut.waiters, &call->ended.node.link);
  call->object.detach = call_detach;
  aio_list_push(&l->core->objects, &call->object.link);
  aio_lloop_hold(L, l);
  return 0;
}

bool aio_call_begin(lua_State *L, aio_lloop *l, aio_call *call) {
  lua_pushcfunction(L, begin_protected);
  lua_pushlightuserdata(L, call);
  lua_pushlightuserdata(L, l);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK) return true;
  aio_unanchor(L, l->st, call->slot);
  call->slot = 0;
  aio_call_answer_error(L, call);
  return false;
}

/* Stack: light userdata of the call. */
static int cancel_protected(lua_State *L) {
  aio_call *call = lua_touserdata(L, 1);
  aio_state *st = aio_state_of(L);
  aio_push_anchored(L, st, call->slot);
  lua_getiuservalue(L, -1, BOX_TASK);
  aio_future_cancel(L, st, lua_gettop(L), 0);
  return 0;
}

void aio_call_cancel(lua_State *L, aio_call *call) {
  if (!call->task || aio_future_done(&call->task->fut)) return;
  lua_pushcfunction(L, cancel_protected);
  lua_pushlightuserdata(L, call);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1); /* it ends uncancelled */
}

void aio_call_open(lua_State *L, aio_state *st) {
  static const luaL_Reg gc[] = {{"__gc", box_gc}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_CALL, "aio.call", NULL, gc);
  lua_pop(L, 1);
}
