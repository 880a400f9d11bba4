/* SPDX-License-Identifier: MIT
 *
 * Loops of other threads: a loop crosses as its port, and becomes a handle over there, which is
 * good for run_coroutine_threadsafe only. Invariant: a handle holds one reference of the port. */
#include "bind/remote.h"

#include "bind/call.h"
#include "bind/error.h"

typedef struct handle {
  aio_port *port;
} handle;

static aio_lloop *own_loop(lua_State *L, const aio_state *st, int idx) {
  void *l = aio_object_test(L, st, idx, AIO_REF_LOOP_TUNED);
  return l ? l : aio_object_test(L, st, idx, AIO_REF_LOOP);
}

bool aio_loop_is(lua_State *L, const aio_state *st, int idx) {
  return own_loop(L, st, idx) || aio_object_test(L, st, idx, AIO_REF_LOOP_HANDLE);
}

aio_port *aio_loop_port(lua_State *L, aio_state *st, int idx) {
  if (own_loop(L, st, idx)) return aio_port_get(aio_lloop_check(L, st, idx)->core);
  const handle *h = aio_object_test(L, st, idx, AIO_REF_LOOP_HANDLE);
  aio_port_retain(h->port);
  return h->port;
}

void aio_loop_port_drop(void *port) {
  aio_port_release(port);
}

void aio_loop_handle_push(lua_State *L, const aio_state *st, aio_port *port) {
  handle *h = aio_object_new(L, st, AIO_REF_LOOP_HANDLE, sizeof *h, 0);
  aio_port_retain(port);
  h->port = port;
}

static int handle_gc(lua_State *L) {
  handle *h = lua_touserdata(L, 1);
  if (h->port) aio_port_release(h->port);
  h->port = NULL;
  return 0;
}

static int handle_eq(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  const handle *a = aio_object_test(L, st, 1, AIO_REF_LOOP_HANDLE);
  const handle *b = aio_object_test(L, st, 2, AIO_REF_LOOP_HANDLE);
  lua_pushboolean(L, a && b && a->port == b->port);
  return 1;
}

static int handle_tostring(lua_State *L) {
  const handle *h = aio_object_check(L, aio_state_up(L), 1, AIO_REF_LOOP_HANDLE);
  lua_pushfstring(L, "loop of another thread: %p", (void *)h->port);
  return 1;
}

/* A loop may be used by its own thread only. */
static int handle_index(lua_State *L) {
  return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                         "'%s': this loop belongs to another thread; write "
                         "aio.run_coroutine_threadsafe(fn, loop, ...), or use a Channel",
                         luaL_tolstring(L, 2, NULL));
}

/* ---- calls into a loop ---- */

static void arrive_run(aio_loop *core, aio_cnode *c) {
  aio_lloop *l = core->owner;
  (void)aio_call_begin(l->L, l, AIO_CONTAINER(c, aio_call, arrive));
}

static void arrive_drop(aio_cnode *c) {
  aio_call_answer(AIO_CONTAINER(c, aio_call, arrive), AIO_CALL_ABANDONED);
}

static void cancel_run(aio_loop *core, aio_cnode *c) {
  aio_lloop *l = core->owner;
  aio_call *call = AIO_CONTAINER(c, aio_call, cancel);
  aio_call_cancel(l->L, call);
  aio_call_release(call);
}

static void cancel_drop(aio_cnode *c) {
  aio_call_release(AIO_CONTAINER(c, aio_call, cancel));
}

static void call_gone(void *ud, bool unwanted) {
  aio_call *call = ud;
  if (unwanted) {
    aio_call_retain(call);
    call->cancel.run = cancel_run;
    call->cancel.drop = cancel_drop;
    if (!aio_port_post(call->to, &call->cancel)) aio_call_release(call);
  }
  aio_call_release(call);
}

/* core._call_into(loop, number, context, fn, ...): the future of a call that a loop, ours or
 * another thread's, will run; the function is argument `number` of whoever is to be blamed. */
static int call_into(lua_State *L) {
  enum { LOOP = 1, NUMBER, CONTEXT };
  aio_state *st = aio_state_up(L);
  int first = (int)luaL_checkinteger(L, NUMBER) - 1;
  if (!aio_loop_is(L, st, LOOP))
    return luaL_argerror(L, LOOP,
                         lua_pushfstring(L, "loop expected, got %s", luaL_typename(L, LOOP)));
  aio_lloop_here(L, st);
  aio_call *call =
      aio_call_new(L, st, CONTEXT, lua_gettop(L) - 2, (aio_copy_names){"argument", first, 1});
  call->to = aio_loop_port(L, st, LOOP);
  if (!call->to) return luaL_error(L, "not enough memory");
  call->arrive.run = arrive_run;
  call->arrive.drop = arrive_drop;
  aio_call_future(L, call, call_gone);
  aio_call_retain(call); /* the loop's */
  if (!aio_port_post(call->to, &call->arrive)) aio_call_answer(call, AIO_CALL_ABANDONED);
  return 1;
}

/* core._is_loop(x): is it a loop, or the handle of one? */
static int is_loop(lua_State *L) {
  lua_pushboolean(L, aio_loop_is(L, aio_state_up(L), 1));
  return 1;
}

void aio_remote_loops_open(lua_State *L, aio_state *st) {
  static const luaL_Reg meta[] = {{"__gc", handle_gc},
                                  {"__eq", handle_eq},
                                  {"__tostring", handle_tostring},
                                  {"__index", handle_index},
                                  {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_call_into", call_into}, {"_is_loop", is_loop}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_LOOP_HANDLE, "loop of another thread", NULL, meta);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
