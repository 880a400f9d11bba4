/* SPDX-License-Identifier: MIT
 *
 * Descriptors over Unix sockets: the method recv_fds, and what lua/aio/fds.lua needs of floor 2.
 * Invariant: a received descriptor is in the box of its socket until the table that is to hold it
 * exists; nothing can fail between. */
#include "bind/local.h"

#include <string.h>

#include "bind/error.h"
#include "bind/stream_read.h"
#include "core/local.h"

enum { SELF = 1, DATA = 2, FDS = 3, COUNT = 2 };

static aio_fdbox *box_of(const aio_stream *s) {
  return s->source && s->source->ops->fds ? s->source->ops->fds(s->source) : NULL;
}

bool aio_local_push_peercred(lua_State *L, const aio_stream *s) {
  aio_peercred cred;
  if (!s->source || !s->source->ops->fds) return false;
  if (aio_local_peercred(s->source->ops->fileno(s->source), &cred)) return false;
  lua_createtable(L, 0, 3);
  if (cred.pid >= 0) {
    lua_pushinteger(L, cred.pid);
    lua_setfield(L, -2, "pid");
  }
  lua_pushinteger(L, cred.uid);
  lua_setfield(L, -2, "uid");
  lua_pushinteger(L, cred.gid);
  lua_setfield(L, -2, "gid");
  return true;
}

/* ---- sending ---- */

static int send_k(lua_State *L, int status, lua_KContext ctx);

/* Raises unless the stream takes data. [may throw] */
static void check_writable(lua_State *L, const aio_stream *s) {
  if (!aio_stream_is_open(s)) aio_stream_raise_closed(L);
  if (s->end_wanted)
    aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME, "cannot write after write_eof()");
  if (s->write_error) aio_stream_raise(L, s, s->write_error, "write");
}

/* Sends as many bytes as go, with the descriptors; 0: none, the socket is full. [may throw] */
static ptrdiff_t send_now(lua_State *L, const aio_stream *s) {
  int fds[AIO_FDS_MAX];
  size_t len, n = (size_t)lua_rawlen(L, FDS);
  const char *data = lua_tolstring(L, DATA, &len);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, FDS, (lua_Integer)i + 1);
    fds[i] = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
  }
  unsigned part = len < INT32_MAX ? (unsigned)len : INT32_MAX;
  uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, part);
  ptrdiff_t sent = aio_local_send(s->source->ops->fileno(s->source), buf, fds, n);
  if (sent < 0) {
    aio_error_push_os(L, aio_state_up(L), (int)sent, "sendmsg");
    lua_error(L);
  }
  return sent;
}

/* Tries until the queue is empty and the socket has room: descriptors go beside the first byte. */
static int send_try(lua_State *L, aio_stream *s) {
  check_writable(L, s);
  if (!s->source->ops->fds) /* perhaps since it waited: start_tls */
    return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                           "only a Unix socket carries descriptors, and none over TLS");
  ptrdiff_t sent = s->out.total == 0 ? send_now(L, s) : 0;
  if (sent > 0) {
    lua_pushinteger(L, sent);
    return 1;
  }
  aio_task *t = aio_task_waiter_in(L, s->loop, SELF);
  int err = s->out.total == 0 ? s->source->ops->write_start(s->source) : 0;
  if (err) return aio_stream_raise(L, s, err, "write");
  return aio_task_suspend(L, t, &s->writers, NULL, send_k);
}

static int send_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  if (!aio_task_resumed(L, ctx)) return aio_suspend_again(L, ctx, send_k);
  return send_try(L, ((aio_stream_ud *)lua_touserdata(L, SELF))->s);
}

/* core._send_fds(stream, data, list): the number of bytes that went with the descriptors, at least
 * 1. The arguments have been checked. [may yield] */
static int send_fds(lua_State *L) {
  aio_stream *s = aio_stream_self(L)->s;
  lua_settop(L, FDS);
  return send_try(L, s);
}

/* ---- receiving ---- */

static int recv_try(lua_State *L, aio_stream_ud *u);
static int recv_k(lua_State *L, int status, lua_KContext ctx);
static const aio_read_op recv_op = {recv_try, recv_k};

static int recv_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  return aio_read_resume(L, ctx, &recv_op);
}

/* Pushes the next bytes, and the table of the descriptors up to there. False: look again. */
static bool take_with_fds(lua_State *L, aio_stream *s, size_t most) {
  aio_fdbox *box = box_of(s);
  size_t n = box ? aio_fdbox_cut(box, s->in.total) : s->in.total;
  if (n > most) n = most;
  size_t due = box ? aio_fdbox_due(box, s->in.total - n) : 0, before = s->in.total;
  lua_createtable(L, (int)due, 0);
  if (s->in.total != before || box_of(s) != box || !aio_stream_take(L, s, n)) {
    lua_pop(L, 1);
    return false;
  }
  for (size_t i = 1; i <= due; i++) {
    lua_pushinteger(L, aio_fdbox_take(box));
    lua_rawseti(L, -3, (lua_Integer)i); /* into the array part, which is there */
  }
  lua_insert(L, -2);
  return true;
}

static int recv_try(lua_State *L, aio_stream_ud *u) {
  aio_stream *s = u->s;
  size_t most = (size_t)lua_tointeger(L, COUNT);
  while (s->in.total > 0) {
    if (take_with_fds(L, s, most)) return 2;
  }
  if (s->eof || !aio_stream_is_open(s)) {
    aio_read_end(L, s);
    lua_newtable(L);
    return 2;
  }
  return aio_read_wait(L, u, 1, -1, &recv_op);
}

static int stream_recv_fds(lua_State *L) {
  aio_stream_ud *u = aio_stream_self(L);
  lua_Integer n = luaL_checkinteger(L, COUNT);
  luaL_argcheck(L, n > 0, COUNT, "a positive number of bytes expected");
  lua_settop(L, COUNT);
  if (aio_stream_is_open(u->s) && !box_of(u->s))
    return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                           "this stream drops descriptors; open it as a Unix socket with the "
                           "option fds = n, the number that may wait in it");
  u->discarded = 0;
  return aio_read_start(L, u, &recv_op);
}

/* core._keep_fds(stream, max) */
static int keep_fds(lua_State *L) {
  aio_stream *s = aio_stream_self(L)->s;
  int err = aio_local_keep(s, (size_t)luaL_checkinteger(L, 2));
  if (err == UV_ENOTSUP)
    return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME,
                           "option 'fds': this descriptor is no Unix socket");
  return err ? luaL_error(L, "not enough memory") : 0;
}

const luaL_Reg aio_stream_local_methods[] = {{"recv_fds", stream_recv_fds}, {NULL, NULL}};

void aio_local_open_functions(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_send_fds", send_fds}, {"_keep_fds", keep_fds}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
