/* SPDX-License-Identifier: MIT
 *
 * The class Stream: making, connecting, closing, and what a stream tells of itself. Reading and
 * writing are in files of their own. Invariant: the userdata exists, with its metatable, before the
 * aio_stream and its descriptor do. */
#include "bind/stream.h"

#include <string.h>

#include "bind/address.h"
#include "bind/error.h"
#include "bind/line.h"
#include "bind/local.h"
#include "bind/made.h"
#include "bind/socket.h"
#include "core/local.h"
#include "core/socket.h"

enum { SELF = 1 };

/* ---- errors ---- */

void aio_stream_push_error(lua_State *L, const aio_state *st, const aio_stream *s, int err,
                           const char *call) {
  if (err == AIO_EFILTER)
    aio_error_push_ssl(L, st, "SSL_ERROR", call, s->reason);
  else if (err == AIO_ETRUNCATED)
    aio_error_push_ssl(L, st, "SSL_TRUNCATED", call,
                       "the peer closed the connection without ending TLS (no close_notify): what "
                       "has arrived may not be all");
  else
    aio_error_push_os(L, st, err, call);
  if (err == UV_EBADF) {
    lua_pushfstring(L, "%s: this stream cannot %s: its descriptor is open for the other direction",
                    call, call);
    lua_setfield(L, -2, "message");
  }
}

int aio_stream_raise(lua_State *L, const aio_stream *s, int err, const char *call) {
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  aio_stream_push_error(L, aio_state_up(L), s, err, call);
  return lua_error(L);
}

int aio_stream_raise_closed(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  const aio_stream_ud *u = aio_object_test(L, st, SELF, AIO_REF_STREAM);
  if (u && u->s && u->s->state == AIO_STREAM_CONNECTING)
    return aio_error_state(L, st, AIO_E_RUNTIME,
                           "the handshake on this stream is not done; wait until it is");
  return aio_error_state(L, st, AIO_E_RUNTIME, "this stream is closed; open another one");
}

/* ---- making ---- */

aio_stream_ud *aio_stream_push(lua_State *L, aio_state *st, aio_lloop *l) {
  aio_stream_ud *u = aio_object_new(L, st, AIO_REF_STREAM, sizeof *u, AIO_STREAM_UVS);
  u->first = 1;
  aio_link_init(&u->handled.node.link);
  aio_lloop_push(L, l);
  lua_setiuservalue(L, -2, AIO_STREAM_UV_LOOP);
  if (l->debug) {
    aio_error_where(L, st);
    lua_setiuservalue(L, -2, AIO_STREAM_UV_WHERE);
    aio_made_note(L, st, -1);
  }
  return u;
}

/* ---- connecting ---- */

/* Stack of core._connect: the arguments, then the stream. */
enum { TO = 1, LOCAL, LIMIT, NODELAY, KEEPALIVE, FDS, STREAM };

/* nil and the error object, since the caller may have other addresses to try. */
static int connect_failed(lua_State *L, aio_stream_ud *u, int err, const char *call) {
  aio_stream_abort(u->s);
  lua_pushnil(L);
  aio_error_push_os(L, aio_state_up(L), err, call);
  lua_pushvalue(L, TO);
  lua_setfield(L, -2, lua_istable(L, TO) ? "address" : "filename");
  return 2;
}

static int connect_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_task *t = (aio_task *)ctx;
  aio_stream_ud *u = lua_touserdata(L, STREAM);
  if (t->wait.node.state == AIO_IDLE && aio_task_cancel_due(t)) aio_stream_abort(u->s);
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, connect_k);
  if (u->s->write_error) return connect_failed(L, u, u->s->write_error, "connect");
  lua_settop(L, STREAM);
  return 1;
}

/* core._connect(address or path, local address or nil, limit, nodelay, keepalive, fds): a stream,
 * which keeps so many received descriptors from its first byte on, or nil and an OSError.
 * [may yield] */
static int connect_stream(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_NET);
  aio_address to, local;
  lua_settop(L, FDS);
  int err = aio_address_at(L, TO, &to);
  if (!err && !lua_isnil(L, LOCAL)) err = aio_address_at(L, LOCAL, &local);
  aio_socket_opts opts = {lua_toboolean(L, NODELAY), lua_toboolean(L, KEEPALIVE)};
  aio_task *t = aio_task_waiter(L, st);
  aio_stream_ud *u = aio_stream_push(L, st, t->fut.loop);
  u->s = aio_stream_new(t->fut.loop->core, (size_t)luaL_checkinteger(L, LIMIT));
  if (!u->s) return luaL_error(L, "not enough memory");
  const char *call = "connect";
  if (!err) err = aio_socket_connect(u->s, &to, lua_isnil(L, LOCAL) ? NULL : &local, &opts, &call);
  lua_Integer fds = lua_tointeger(L, FDS);
  if (!err && fds > 0) err = aio_local_keep(u->s, (size_t)fds);
  if (err) return connect_failed(L, u, err, call);
  if (u->s->state == AIO_STREAM_CONNECTING)
    return aio_task_suspend(L, t, &u->s->writers, NULL, connect_k);
  return aio_task_give_way(L, t, connect_k); /* no sooner than a turn later, on any system */
}

/* core._take(socket or descriptor, limit): a stream that owns it from now on, or nil and an
 * OSError. Does not wait. */
static int take_socket(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_NET);
  aio_sock fd;
  bool is_unix;
  lua_settop(L, 2);
  aio_lloop *l = aio_lloop_here(L, st);
  aio_stream_ud *u = aio_stream_push(L, st, l);
  u->s = aio_stream_new(l->core, (size_t)luaL_checkinteger(L, 2));
  if (!u->s) return luaL_error(L, "not enough memory");
  int err = aio_socket_offered(L, 1, &fd, &is_unix);
  if (!err && lua_isinteger(L, 1) && aio_stream_has(l->core, (int)fd)) err = UV_EEXIST;
  if (!err) err = aio_socket_take(u->s, fd, is_unix);
  if (!err) {
    aio_socket_gave(L, 1);
    return 1;
  }
  aio_stream_abort(u->s);
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  aio_error_push_os(L, st, err, "sock");
  return 2;
}

/* ---- closing ---- */

static int stream_close(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  aio_stream_close(u->s);
  aio_stream_unanchor(L, u, SELF);
  return 0;
}

static int stream_abort(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  aio_stream_abort(u->s);
  u->told = true; /* what is lost now is given up on purpose */
  aio_stream_unanchor(L, u, SELF);
  return 0;
}

/* Bytes that were written and then lost to an error of the connection are worth an error, once;
 * one's own abort is not. */
static int closed(lua_State *L, aio_stream_ud *u) {
  aio_stream_unanchor(L, u, SELF);
  if (!u->s->lost || !u->s->write_error || u->told) return 0;
  u->told = true;
  return aio_stream_raise(L, u->s, u->s->write_error, "close");
}

static int wait_closed_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, wait_closed_k);
  return closed(L, aio_stream_self_again(L));
}

static int stream_wait_closed(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  if (u->s->state == AIO_STREAM_CLOSED) return closed(L, u);
  aio_task *t = aio_task_waiter_in(L, u->s->loop, SELF);
  return aio_task_suspend(L, t, &u->s->closers, NULL, wait_closed_k);
}

static int close_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, close_k);
  /* Not in place of the error that ends the block. */
  return lua_isnil(L, 2) ? closed(L, aio_stream_self_again(L)) : 0;
}

/* `local conn <close>`: waits where that is possible, otherwise the rest is sent later. */
static int stream_close_scope(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  aio_stream_ud *u = aio_stream_self(L);
  lua_settop(L, 2);
  aio_stream_close(u->s);
  aio_task *t = st->current;
  bool can_wait = t && L == t->top && !t->atomic && !st->atomic && lua_isyieldable(L);
  if (u->s->state != AIO_STREAM_CLOSED && can_wait && t->fut.loop->core == u->s->loop)
    return aio_task_suspend(L, t, &u->s->closers, NULL, close_k);
  return lua_isnil(L, 2) ? closed(L, u) : 0;
}

static void report_unclosed(lua_State *L, aio_lloop *l) {
  aio_made_report_unclosed(
      L, l, "a stream was collected while open; close it, or write local conn <close>", "conn",
      AIO_STREAM_UV_WHERE);
}

static int stream_gc(lua_State *L) {
  aio_stream_ud *u = lua_touserdata(L, SELF);
  aio_stream *s = u->s;
  if (!s) return 0;
  aio_list_del(&u->handled.node.link);
  lua_getiuservalue(L, SELF, AIO_STREAM_UV_LOOP);
  aio_lloop *l = lua_touserdata(L, -1);
  bool report = l && l->core && l->debug && aio_stream_is_open(s);
  if (report) report_unclosed(L, l);
  aio_stream_drop_sink(L, u);
  u->s = NULL;
  aio_stream_release(s);
  return 0;
}

static int stream_is_closing(lua_State *L) {
  lua_pushboolean(L, aio_stream_self(L)->s->state >= AIO_STREAM_CLOSING);
  return 1;
}

static int stream_detach(lua_State *L) {
  aio_stream_self(L)->detached = true;
  lua_settop(L, SELF);
  return 1;
}

/* core._detached(stream) */
static int is_detached(lua_State *L) {
  lua_pushboolean(L, aio_stream_self(L)->detached);
  return 1;
}

/* ---- what it tells ---- */

/* core._unread(stream): how many bytes have come that nobody has read, how many wait to be sent,
 * and whether it receives: not while too much is unread; nothing when no more can come or go: the
 * end, an error, closed. */
static int unread(lua_State *L) {
  const aio_stream *s = aio_stream_self(L)->s;
  if (!aio_stream_is_open(s) || s->eof || s->read_error || s->write_error) return 0;
  lua_pushinteger(L, (lua_Integer)s->in.total);
  lua_pushinteger(L, (lua_Integer)s->out.total);
  lua_pushboolean(L, s->reading);
  return 3;
}

static bool push_address(lua_State *L, aio_stream *s, bool peer) {
  aio_address a;
  if (aio_stream_address(s, peer, &a)) return false;
  aio_address_push(L, &a);
  return true;
}

bool aio_stream_info(lua_State *L, aio_stream_ud *u, const char *name) {
  aio_stream *s = u->s;
  if (strcmp(name, "peername") == 0) return push_address(L, s, true);
  if (strcmp(name, "sockname") == 0) return push_address(L, s, false);
  if (strcmp(name, "peercred") == 0) return aio_local_push_peercred(L, s);
  int fd = strcmp(name, "fileno") == 0 && s->source ? s->source->ops->fileno(s->source) : -1;
  if (fd >= 0) {
    lua_pushinteger(L, fd);
    return true;
  }
  int top = lua_gettop(L);
  if (lua_getiuservalue(L, SELF, AIO_STREAM_UV_FILTER) != LUA_TNIL &&
      lua_getfield(L, -1, name) != LUA_TNIL)
    return true;
  lua_settop(L, top);
  return false;
}

static int stream_get_extra_info(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  const char *name = luaL_checkstring(L, 2);
  lua_settop(L, 3);
  aio_stream_info(L, u, name);
  return 1;
}

static int stream_tostring(lua_State *L) {
  static const char *const states[] = {"new", "connecting", "open", "closing", "closed"};
  const aio_stream *s = aio_stream_self(L)->s;
  lua_pushfstring(L, "Stream (%s%s%s): %p", s->source ? s->source->ops->kind : "",
                  s->source ? ", " : "", states[s->state], lua_topointer(L, SELF));
  return 1;
}

void aio_stream_open_class(lua_State *L, aio_state *st) {
  static const luaL_Reg methods[] = {{"close", stream_close},
                                     {"abort", stream_abort},
                                     {"wait_closed", stream_wait_closed},
                                     {"is_closing", stream_is_closing},
                                     {"detach", stream_detach},
                                     {"get_extra_info", stream_get_extra_info},
                                     {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__close", stream_close_scope},
                                  {"__gc", stream_gc},
                                  {"__tostring", stream_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_connect", connect_stream},
                                 {"_take", take_socket},
                                 {"_detached", is_detached},
                                 {"_unread", unread},
                                 {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_STREAM, "Stream", methods, meta);
  aio_setfuncs(L, st, aio_stream_read_methods);
  aio_setfuncs(L, st, aio_stream_write_methods);
  aio_setfuncs(L, st, aio_stream_tty_methods);
  aio_setfuncs(L, st, aio_stream_local_methods);
  aio_class_selectable(L, "read", &aio_stream_clause);
  lua_setfield(L, -2, "_Stream");
  aio_setfuncs(L, st, fns);
}
