/* SPDX-License-Identifier: MIT
 *
 * Filters on streams: how a library of its own (aio/tls.so) comes by the functions of floor 2, and
 * how a task puts a filter on a stream and waits for its handshake. Called by lua/aio/ssl.lua.
 * Invariant: the userdata that tells of the filter is held by the stream before the filter is on
 * it. */
#include "bind/error.h"
#include "bind/stream.h"
#include "core/api.h"

enum { SELF = 1, FILTER = 2 };

/* core._api(): the functions of floor 2, for the opener of a library. */
static int get_api(lua_State *L) {
  lua_pushlightuserdata(L, (void *)(uintptr_t)&aio_api_here);
  return 1;
}

/* core._accepted(stream): did a server accept it? */
static int is_accepted(lua_State *L) {
  lua_pushboolean(L, aio_stream_self(L)->accepted);
  return 1;
}

/* core._filter(stream, filter): puts the filter on the stream, which is then no longer open until
 * its handshake is done. Only in a task. [may throw, before anything has changed] */
static int put_filter(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_stream_ud *u = aio_stream_self(L);
  aio_stream *s = u->s;
  aio_filter_ud *f = lua_touserdata(L, FILTER);
  luaL_argcheck(L, f && f->filter, FILTER, "an unused filter expected");
  lua_settop(L, FILTER);
  if (!aio_stream_is_open(s)) return aio_stream_raise_closed(L);
  aio_task_waiter_in(L, s->loop, SELF);
  if (s->end_wanted)
    return aio_error_state(L, st, AIO_E_RUNTIME, "cannot start TLS after write_eof()");
  if (!aio_list_empty(&s->readers))
    return aio_error_state(L, st, AIO_E_RUNTIME,
                           "cannot start TLS while a task reads from this stream");
  lua_getiuservalue(L, SELF, AIO_STREAM_UV_FILTER); /* of the filter below, if there is one */
  lua_insert(L, FILTER);
  lua_setiuservalue(L, SELF, AIO_STREAM_UV_FILTER);
  int err = f->filter->attach(f->filter, s);
  if (err) {
    lua_setiuservalue(L, SELF, AIO_STREAM_UV_FILTER);
    return aio_stream_raise(L, s, err, "start_tls");
  }
  f->filter = NULL;
  aio_stream_unanchor(L, u, SELF);
  return 0;
}

/* nil: the filter has a question. true: the stream is open. false and an OSError (none when the
 * filter knows more): it is closed. */
static int connected(lua_State *L) {
  aio_stream *s = ((aio_stream_ud *)lua_touserdata(L, SELF))->s;
  if (s->state == AIO_STREAM_CONNECTING) return 0;
  bool ok = aio_stream_is_open(s) && !s->write_error;
  lua_pushboolean(L, ok);
  if (ok) return 1;
  int err = s->write_error ? s->write_error : UV_ECONNABORTED;
  aio_stream_abort(s);
  if (err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  if (err == AIO_EFILTER) return 1;
  aio_error_push_os(L, aio_state_up(L), err, "handshake");
  return 2;
}

static int connected_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  const aio_task *t = (aio_task *)ctx;
  if (t->wait.node.state == AIO_IDLE && aio_task_cancel_due(t))
    aio_stream_abort(((aio_stream_ud *)lua_touserdata(L, SELF))->s);
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, connected_k);
  return connected(L);
}

/* core._connected(stream): waits for the handshake. [may yield] */
static int wait_connected(lua_State *L) {
  aio_stream *s = aio_stream_self(L)->s;
  lua_settop(L, SELF);
  if (s->state != AIO_STREAM_CONNECTING) return connected(L);
  aio_task *t = aio_task_waiter_in(L, s->loop, SELF);
  return aio_task_suspend(L, t, &s->writers, NULL, connected_k);
}

void aio_filter_open_functions(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_api", get_api},
                                 {"_accepted", is_accepted},
                                 {"_filter", put_filter},
                                 {"_connected", wait_connected},
                                 {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
