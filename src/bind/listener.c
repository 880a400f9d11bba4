/* SPDX-License-Identifier: MIT
 *
 * Listeners for aio.server (Lua): listening sockets, accepted connections, and the callback that is
 * put into the ready queue when some were accepted. Invariant: while the listener is armed, its
 * Handle is anchored, and with it the server; the ready queue holds the Handle at most once. */
#include "bind/listener.h"

#include "bind/address.h"
#include "bind/error.h"
#include "bind/handle.h"
#include "bind/socket.h"
#include "bind/stream.h"
#include "core/listener.h"

typedef struct listener_ud {
  aio_listener *ls;
  aio_lloop *loop;
  aio_handle *handle;   /* user value HANDLE */
  aio_stream_ud *taken; /* user value TAKEN, while it is not known to have a task; or NULL */
} listener_ud;

enum { LISTENER_UV_LOOP = 1, LISTENER_UV_HANDLE, LISTENER_UV_TAKEN, LISTENER_UVS = 3 };
enum { SELF = 1 };

static listener_ud *self(lua_State *L) {
  return aio_object_check(L, aio_state_up(L), SELF, AIO_REF_LISTENER);
}

/* From floor 2: something was accepted, or a door has failed. */
static void on_accepted(aio_listener *ls) {
  listener_ud *u = ls->owner;
  aio_handle *h = u->handle;
  if (h && h->slot && h->node.state == AIO_IDLE) aio_loop_ready(ls->loop, &h->node);
}

/* After each call of the callback, also after one that failed: a stream that was taken and has no
 * task is aborted, since its client would wait for ever; what is left is next. */
static void after_run(lua_State *L, aio_handle *h, bool starved) {
  (void)starved;
  listener_ud *u = h->owner;
  if (u->taken) aio_stream_abort(u->taken->s);
  u->taken = NULL;
  if (u->ls->loop && !aio_list_empty(&u->ls->accepted))
    aio_loop_ready(u->ls->loop, &h->node);
  else if (u->ls->closed)
    aio_handle_unanchor(L, h);
}

/* core._listener(fn, arg, limit, max, fds): a listener that calls fn(arg) in a callback when there
 * is something to take. */
static int listener_new(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_NET);
  lua_settop(L, 5);
  aio_lloop *l = aio_lloop_here(L, st);
  listener_ud *u = aio_object_new(L, st, AIO_REF_LISTENER, sizeof *u, LISTENER_UVS);
  u->loop = l;
  aio_lloop_push(L, l);
  lua_setiuservalue(L, -2, LISTENER_UV_LOOP);
  aio_handle *h = aio_handle_new(L, st, l, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_FN);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_ARG);
  aio_context_inherit(L, st);
  lua_setiuservalue(L, -2, AIO_HANDLE_UV_CONTEXT);
  lua_setiuservalue(L, -2, LISTENER_UV_HANDLE);
  u->ls = aio_listener_new(l->core, on_accepted, u);
  if (!u->ls) return luaL_error(L, "not enough memory");
  u->handle = h;
  h->again = after_run;
  h->owner = u;
  u->ls->limit = (size_t)luaL_checkinteger(L, 3);
  u->ls->max = (size_t)luaL_checkinteger(L, 4);
  u->ls->fds = (size_t)luaL_optinteger(L, 5, 0);
  return 1;
}

/* nil, and an OSError which says what could not be opened. */
static int push_failure(lua_State *L, int err, const char *call, const char *field) {
  lua_pushnil(L);
  aio_error_push_os(L, aio_state_up(L), err, call);
  lua_pushvalue(L, 2);
  lua_setfield(L, -2, field);
  return 2;
}

/* listener:open(address or path, backlog, reuse_port, keep_file): opens a door; the address where
 * it listens and its descriptor (-1: none), or nil and an OSError. */
static int listener_open(lua_State *L) {
  listener_ud *u = self(L);
  aio_address a;
  lua_settop(L, 5);
  aio_door_opts opts = {(int)luaL_checkinteger(L, 3), lua_toboolean(L, 4)};
  const char *call = "bind";
  int err = aio_address_at(L, 2, &a);
  aio_door *d = err ? NULL : aio_door_open(u->ls, &a, &opts, &err, &call);
  if (d && lua_toboolean(L, 5)) aio_door_keep_file(d);
  if (d) err = aio_door_address(d, &a);
  if (err) return push_failure(L, err, call, lua_istable(L, 2) ? "address" : "filename");
  aio_address_push(L, &a);
  lua_pushinteger(L, aio_door_fileno(d));
  return 2;
}

/* listener:take_over(socket or descriptor, backlog): the same with one that is bound. It belongs to
 * the door when this returns no error; nothing here fails after that. */
static int listener_take_over(lua_State *L) {
  listener_ud *u = self(L);
  aio_sock s;
  aio_address a;
  bool is_unix;
  lua_settop(L, 3);
  aio_door_opts opts = {.backlog = (int)luaL_checkinteger(L, 3)};
  const char *call = "sock";
  int err = aio_socket_offered(L, 2, &s, &is_unix);
  if (!err) {
    call = "getsockname";
    err = aio_sock_address(s, false, &a);
  }
  if (err) return push_failure(L, err, call, "socket");
  aio_address_push(L, &a);
  aio_door *d = aio_door_take(u->ls, s, is_unix, &opts, &err, &call);
  if (!d) return push_failure(L, err, call, "socket");
  aio_socket_gave(L, 2);
  lua_pushinteger(L, aio_door_fileno(d));
  return 2;
}

/* listener:arm(): from now on the callback may be called, and keeps the server alive until close.
 */
static int listener_arm(lua_State *L) {
  const listener_ud *u = self(L);
  if (u->ls->closed) return 0;
  lua_getiuservalue(L, SELF, LISTENER_UV_HANDLE);
  aio_handle_anchor(L, u->handle, -1);
  return 0;
}

static int listener_start(lua_State *L) {
  aio_listener_start(self(L)->ls);
  return 0;
}

/* Nothing to take: nil, and the OSError of a door that has failed. */
static int push_end(lua_State *L, listener_ud *u) {
  lua_pushnil(L);
  lua_setiuservalue(L, SELF, LISTENER_UV_TAKEN);
  if (!u->ls->error) return 0;
  lua_pushnil(L);
  aio_error_push_os(L, aio_state_up(L), u->ls->error, "accept");
  u->ls->error = 0;
  return 2;
}

/* listener:take(): the next accepted stream, or nil. The one before has its task by then. */
static int listener_take(lua_State *L) {
  listener_ud *u = self(L);
  u->taken = NULL;
  if (aio_list_empty(&u->ls->accepted)) return push_end(L, u);
  aio_stream_ud *s = aio_stream_push(L, aio_state_up(L), u->loop);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, SELF, LISTENER_UV_TAKEN);
  s->s = aio_listener_take(u->ls);
  s->accepted = true;
  if (s->s) u->taken = s;
  return s->s != NULL;
}

/* After the end of the handler's task, which has closed the connection, unless it was detached: a
 * task that never came to its body, or that ran out of memory at its end, has not. */
static void on_handled(aio_loop *l, aio_cnode *c) {
  (void)l;
  aio_stream_ud *u = AIO_CONTAINER(c, aio_stream_ud, handled);
  if (!u->detached && u->s->state < AIO_STREAM_CLOSING) aio_stream_abort(u->s);
}

/* listener:given(task): the stream that was taken last is served by this task (or whatever a task
 * factory returned). */
static int listener_given(lua_State *L) {
  listener_ud *u = self(L);
  aio_future *f = aio_future_test(L, aio_state_up(L), 2);
  if (!f || !u->taken) return 0;
  aio_stream_ud *s = u->taken;
  u->taken = NULL;
  lua_getiuservalue(L, SELF, LISTENER_UV_TAKEN);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, AIO_STREAM_UV_HANDLER);
  s->handled.run = on_handled;
  s->handled.node.kind = AIO_NODE_C;
  if (aio_future_done(f))
    aio_loop_ready(u->ls->loop, &s->handled.node);
  else
    aio_list_push(&f->waiters, &s->handled.node.link);
  return 0;
}

/* listener:close(drain): closes the doors. What was accepted before is still served; with `drain`
 * this is also everybody whom the system has let in. */
static int listener_close(lua_State *L) {
  listener_ud *u = self(L);
  if (lua_toboolean(L, 2)) aio_listener_drain(u->ls);
  aio_listener_close(u->ls);
  aio_handle *h = u->handle;
  if (h->slot && h->node.state == AIO_IDLE) aio_handle_unanchor(L, h);
  return 0;
}

static int wait_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, wait_k);
  return 0;
}

/* listener:wait_closed(): until it is closed and no connection is open. [may yield] */
static int listener_wait_closed(lua_State *L) {
  aio_listener *ls = self(L)->ls;
  if (!ls->loop || (ls->closed && ls->count == 0)) return 0;
  aio_task *t = aio_task_waiter_in(L, ls->loop, SELF);
  aio_task_hold(L, t, SELF);
  return aio_task_suspend(L, t, &ls->closers, NULL, wait_k);
}

/* listener:end_conns(abort): closes or aborts what is open. */
static int listener_end_conns(lua_State *L) {
  aio_listener_end_conns(self(L)->ls, lua_toboolean(L, 2));
  return 0;
}

/* listener:info(): serving, closed, number of connections. */
static int listener_info(lua_State *L) {
  const aio_listener *ls = self(L)->ls;
  lua_pushboolean(L, ls->serving && !ls->closed);
  lua_pushboolean(L, ls->closed);
  lua_pushinteger(L, (lua_Integer)ls->count);
  return 3;
}

static int listener_gc(lua_State *L) {
  listener_ud *u = lua_touserdata(L, SELF);
  aio_listener *ls = u->ls;
  u->ls = NULL;
  if (ls) aio_listener_release(ls);
  return 0;
}

void aio_listener_open_class(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"open", listener_open},
                                     {"take_over", listener_take_over},
                                     {"arm", listener_arm},
                                     {"start", listener_start},
                                     {"take", listener_take},
                                     {"given", listener_given},
                                     {"close", listener_close},
                                     {"wait_closed", listener_wait_closed},
                                     {"end_conns", listener_end_conns},
                                     {"info", listener_info},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", listener_gc}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_listener", listener_new}, {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_LISTENER, "Listener", methods, meta);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
