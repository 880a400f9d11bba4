/* SPDX-License-Identifier: MIT
 *
 * Handles: call_soon, call_later, call_at, and what runs when a future is done. Called by Lua and
 * by the scheduler. Invariant: a scheduled handle has a slot in the anchor table. */
#include "bind/handle.h"

#include <math.h>

#include "bind/error.h"
#include "bind/lloop.h"
#include "bind/made.h"

enum { DIRECT_ARGS = 8 };   /* the scheduler's stack has room for so many */
enum { MOST_ARGS = 60000 }; /* a userdata's user values are counted in 16 bits */

aio_handle *aio_handle_new(lua_State *L, aio_state *st, aio_lloop *loop, int nargs) {
  aio_handle *h = aio_object_new(L, st, AIO_REF_HANDLE, sizeof *h, AIO_HANDLE_UV_ARG - 1 + nargs);
  aio_handle_init(L, h, loop, nargs);
  return h;
}

void aio_handle_init(lua_State *L, aio_handle *h, aio_lloop *loop, int nargs) {
  aio_link_init(&h->node.link);
  h->node.kind = AIO_NODE_CALLBACK;
  h->loop = loop;
  h->nargs = (uint16_t)nargs;
  aio_lloop_push(L, loop);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_LOOP);
}

aio_handle *aio_handle_test(lua_State *L, const aio_state *st, int idx) {
  static const enum aio_ref classes[] = {AIO_REF_HANDLE, AIO_REF_TRANSPORT,
                                         AIO_REF_DATAGRAM_TRANSPORT};
  void *p = lua_touserdata(L, idx);
  if (!p || !lua_getmetatable(L, idx)) return NULL;
  const void *mt = lua_topointer(L, -1);
  lua_pop(L, 1);
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
    if (mt == st->mt[classes[i]]) return p;
  }
  return NULL;
}

void aio_handle_anchor(lua_State *L, aio_handle *h, int idx) {
  if (h->slot) return;
  h->slot = aio_anchor(L, h->loop->st, idx);
  h->loop->st->nhandles++;
  aio_lloop_hold(L, h->loop);
}

void aio_handle_unanchor(lua_State *L, aio_handle *h) {
  if (!h->slot) return;
  aio_unanchor(L, h->loop->st, h->slot);
  h->slot = 0;
  h->loop->st->nhandles--;
  aio_lloop_release(L, h->loop);
}

bool aio_handle_callable(lua_State *L, int arg) {
  if (lua_isfunction(L, arg)) return true;
  if (luaL_getmetafield(L, arg, "__call") == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

/* ---- running ---- */

/* Reports the error at `err`: "callback_error". */
static void report(lua_State *L, aio_handle *h, int self, int err) {
  lua_createtable(L, 0, 5);
  lua_pushvalue(L, err);
  lua_setfield(L, -2, "exception");
  lua_pushliteral(L, "callback_error");
  lua_setfield(L, -2, "kind");
  if (h->describe) {
    h->describe(L, h, self, err);
  } else {
    lua_pushvalue(L, self);
    lua_setfield(L, -2, "handle");
    lua_pushliteral(L, "a callback raised an error");
    lua_setfield(L, -2, "message");
  }
  aio_lloop_report(L, h->loop);
}

/* Pushes the function and the arguments of the handle at `self`. */
static void push_call(lua_State *L, const aio_handle *h, int self) {
  lua_getiuservalue(L, self, AIO_HANDLE_UV_FN);
  for (int i = 0; i < h->nargs; i++) lua_getiuservalue(L, self, AIO_HANDLE_UV_ARG + i);
}

/* A call for which the stack must grow: stack 1 = the handle. */
static int run_protected(lua_State *L) {
  const aio_handle *h = lua_touserdata(L, 1);
  luaL_checkstack(L, h->nargs + 1, "too many arguments");
  push_call(L, h, 1);
  lua_call(L, h->nargs, 0);
  return 0;
}

/* Calls the handle at `self` under the message handler at `msgh`; the status of lua_pcall. */
static int call(lua_State *L, const aio_handle *h, int self, int msgh) {
  if (h->body) {
    lua_pushcfunction(L, h->body);
    lua_pushvalue(L, self);
    return lua_pcall(L, 1, 0, msgh);
  }
  if (h->nargs <= DIRECT_ARGS) {
    push_call(L, h, self);
    return lua_pcall(L, h->nargs, 0, msgh);
  }
  lua_pushcfunction(L, run_protected);
  lua_pushvalue(L, self);
  return lua_pcall(L, 1, 0, msgh);
}

/* Building the report can run out of memory too; then the callback's error is lost, the loop is
 * not: stack 1 = the handle, 2 = the error. */
static int report_protected(lua_State *L) {
  aio_handle *h = lua_touserdata(L, 1);
  report(L, h, 1, 2);
  return 0;
}

static void insist(lua_State *L, aio_handle *h, bool starved) {
  if (starved)
    aio_loop_ready(h->loop->core, &h->node);
  else
    aio_handle_unanchor(L, h);
}

void aio_handle_insist(aio_handle *h) {
  h->insists = true;
  h->again = insist;
}

/* Pops the error of the handle at `self` and hands it on; true when it is dropped because memory
 * was out and the handle runs again. */
static bool failed(lua_State *L, aio_lloop *l, const aio_handle *h, int self) {
  if (h->insists && aio_error_is_memory(L, -1)) {
    lua_pop(L, 1);
    return true;
  }
  if (aio_error_is_fatal(L, l->st, -1)) {
    aio_lloop_fatal(L, l);
    return false;
  }
  lua_pushcfunction(L, report_protected);
  lua_pushvalue(L, self);
  lua_rotate(L, -3, -1); /* function, handle, error */
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) lua_pop(L, 1);
  return false;
}

void aio_handle_run(lua_State *L, aio_handle *h) {
  aio_lloop *l = h->loop;
  aio_state *st = l->st;
  h->node.state = AIO_IDLE;
  if (h->cancelled) {
    aio_handle_unanchor(L, h);
    return;
  }
  aio_handle *outer = st->handle;
  st->handle = h;
  aio_push_anchored(L, st, h->slot);
  int self = lua_gettop(L);
  aio_lloop_hold(L, l); /* the report below still needs the loop object */
  if (!h->again) aio_handle_unanchor(L, h);
  lua_getiuservalue(L, self, AIO_HANDLE_UV_CONTEXT);
  aio_context_swap(L, st);
  lua_pushcfunction(L, aio_error_msgh);
  bool starved = call(L, h, self, self + 2) != LUA_OK && failed(L, l, h, self);
  lua_settop(L, self + 1);
  aio_context_swap(L, st); /* back to the former one */
  lua_settop(L, self - 1);
  st->handle = outer;
  if (h->again && h->slot) h->again(L, h, starved);
  aio_lloop_release(L, l);
}

static void fire(aio_timer *t) {
  aio_handle *h = AIO_CONTAINER(t, aio_handle, timer);
  aio_loop_ready(h->loop->core, &h->node);
}

/* ---- Lua ---- */

aio_handle *aio_handle_make(lua_State *L, aio_state *st, aio_lloop *l, int fn) {
  luaL_argexpected(L, aio_handle_callable(L, fn), fn, "function");
  int n = lua_gettop(L) - fn;
  luaL_argcheck(L, n <= MOST_ARGS, fn + n, "too many arguments");
  aio_handle *h = aio_handle_new(L, st, l, n);
  lua_pushvalue(L, fn);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_FN);
  for (int i = 0; i < n; i++) {
    lua_pushvalue(L, fn + 1 + i);
    lua_setiuservalue(L, -2, AIO_HANDLE_UV_ARG + i);
  }
  aio_context_inherit(L, st);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_CONTEXT);
  if (l->debug) aio_made_note(L, st, -1);
  aio_lloop_check_open(L, l);
  aio_handle_anchor(L, h, -1);
  return h;
}

static int call_soon(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, 1);
  aio_handle *h = aio_handle_make(L, st, l, 2);
  aio_loop_ready(l->core, &h->node);
  return 1;
}

/* From the state's own thread this differs in one thing: a loop that waits in the kernel (a host's
 * callback outside a step) is woken. */
static int call_soon_threadsafe(lua_State *L) {
  call_soon(L);
  aio_loop_interrupt(aio_lloop_check(L, aio_state_up(L), 1)->core);
  return 1;
}

static int schedule_at(lua_State *L, aio_state *st, aio_lloop *l, double when) {
  aio_handle *h = aio_handle_make(L, st, l, 3);
  h->timer.fire = fire;
  h->timed = true;
  h->when = when;
  if (!aio_loop_timer_start(l->core, &h->timer, when)) {
    aio_handle_unanchor(L, h);
    return luaL_error(L, "not enough memory");
  }
  h->node.state = AIO_PENDING;
  return 1;
}

static double check_time(lua_State *L, int arg) {
  double s = luaL_checknumber(L, arg);
  luaL_argcheck(L, !isnan(s), arg, "a number of seconds expected, got nan");
  return s;
}

static int call_later(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, 1);
  double delay = check_time(L, 2);
  return schedule_at(L, st, l, aio_loop_now(l->core) + delay);
}

static int call_at(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_lloop *l = aio_lloop_check(L, st, 1);
  return schedule_at(L, st, l, check_time(L, 2));
}

static aio_handle *check(lua_State *L) {
  return aio_object_check(L, aio_state_up(L), 1, AIO_REF_HANDLE);
}

static int handle_cancel(lua_State *L) {
  aio_handle *h = check(L);
  h->cancelled = true;
  aio_loop *core = h->loop->core;
  if (!core) return 0;
  aio_loop_timer_stop(core, &h->timer);
  aio_list_del(&h->node.link);
  h->node.state = AIO_IDLE;
  if (h->again)
    h->again(L, h, false);
  else
    aio_handle_unanchor(L, h);
  return 0;
}

static int handle_cancelled(lua_State *L) {
  lua_pushboolean(L, check(L)->cancelled);
  return 1;
}

static int handle_when(lua_State *L) {
  const aio_handle *h = check(L);
  if (h->timed)
    lua_pushnumber(L, h->when);
  else
    lua_pushnil(L);
  return 1;
}

static int handle_get_context(lua_State *L) {
  check(L);
  aio_push_hook(L, aio_state_up(L), "context_of");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

/* core._insist(handle): see aio_handle_insist; returns the handle. */
static int handle_insist(lua_State *L) {
  aio_handle_insist(check(L));
  lua_settop(L, 1);
  return 1;
}

const luaL_Reg aio_handle_loop_methods[] = {{"call_soon", call_soon},
                                            {"call_soon_threadsafe", call_soon_threadsafe},
                                            {"call_later", call_later},
                                            {"call_at", call_at},
                                            {NULL, NULL}};

void aio_handle_open(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"cancel", handle_cancel},
                                     {"cancelled", handle_cancelled},
                                     {"when", handle_when},
                                     {"get_context", handle_get_context},
                                     {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_insist", handle_insist}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_HANDLE, "Handle", methods, NULL);
  lua_setfield(L, -2, "_Handle");
  aio_setfuncs(L, st, fns);
}
