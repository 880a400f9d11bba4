/* SPDX-License-Identifier: MIT
 *
 * The transport of a stream: the methods that write, and what says how much may wait. Invariant:
 * while somebody sends a file (`busy`), nobody else writes. */
#include "bind/error.h"
#include "bind/transport_stream.h"

enum { SELF = 1, DATA = 2 };

typedef aio_stream_transport stream_transport;

static stream_transport *self(lua_State *L) {
  return aio_stream_transport_self(L);
}

static aio_stream *stream_of(const stream_transport *u) {
  return aio_stream_transport_below(u);
}

static int refuse(lua_State *L, const char *message) {
  return aio_error_state(L, aio_state_up(L), AIO_E_RUNTIME, "%s", message);
}

/* ---- writing ---- */

/* Tells the protocol that its writes pile up. */
static void pace(lua_State *L, stream_transport *u) {
  const aio_stream *s = stream_of(u);
  if (u->t.write_paused || !s || !aio_stream_is_open(s) || s->out.total <= s->high ||
      !u->t.handle.slot)
    return;
  aio_push_anchored(L, u->t.handle.loop->st, u->t.handle.slot);
  aio_transport_pace(L, &u->t, lua_gettop(L), s->out.total, s->low, s->high);
}

static int transport_write(lua_State *L) {
  stream_transport *u = self(L);
  const aio_stream *s = stream_of(u);
  if (!u->writes)
    return refuse(L, "this transport only reads; connect_write_pipe makes one that writes");
  if (s && s->end_wanted) return refuse(L, "cannot write after write_eof()");
  if (u->busy)
    return refuse(L, "cannot write while a file is being sent; wait until sendfile is done");
  if (!aio_stream_transport_is_live(u)) {
    aio_transport_drop(L, &u->t, SELF);
    return 0;
  }
  aio_stream_transport_replace(L);
  aio_stream_put(L, u->below);
  aio_stream_transport_unkeep(u);
  pace(L, u);
  return 0;
}

static int transport_writelines(lua_State *L) {
  self(L);
  luaL_checktype(L, DATA, LUA_TTABLE);
  lua_settop(L, DATA);
  return transport_write(L);
}

/* ---- the end of what is written ---- */

static bool can_write_eof(const stream_transport *u) {
  const aio_stream *s = stream_of(u);
  return s && u->writes && aio_stream_can_end(s);
}

static int transport_write_eof(lua_State *L) {
  stream_transport *u = self(L);
  if (!aio_stream_transport_is_live(u)) return 0;
  if (!u->reads) { /* a pipe, as in asyncio */
    aio_transport_close(&u->t);
    return 0;
  }
  if (!can_write_eof(u))
    return refuse(L, "this transport cannot end one direction alone, as can_write_eof() "
                     "tells; close it");
  aio_stream_write_eof(stream_of(u));
  aio_stream_transport_wake(u);
  return 0;
}

static int transport_can_write_eof(lua_State *L) {
  lua_pushboolean(L, can_write_eof(self(L)));
  return 1;
}

/* ---- how much may wait ---- */

static int transport_set_limits(lua_State *L) {
  stream_transport *u = self(L);
  size_t low, high;
  aio_transport_limits(L, &low, &high);
  aio_stream *s = stream_of(u);
  if (!s) return 0;
  s->low = low;
  s->high = high;
  pace(L, u);
  return 0;
}

static int transport_get_limits(lua_State *L) {
  const aio_stream *s = stream_of(self(L));
  lua_pushinteger(L, s ? (lua_Integer)s->low : 0);
  lua_pushinteger(L, s ? (lua_Integer)s->high : 0);
  return 2;
}

static int transport_get_size(lua_State *L) {
  const aio_stream *s = stream_of(self(L));
  lua_pushinteger(L, s ? (lua_Integer)s->out.total : 0);
  return 1;
}

/* ---- while a file is sent ---- */

/* core._transport_busy(transport, busy): while it is, nobody else may write. */
static int transport_busy(lua_State *L) {
  stream_transport *u = self(L);
  bool busy = lua_toboolean(L, 2);
  if (busy && u->busy)
    return refuse(L, "a file is being sent on this transport already; wait until it is");
  if (busy && !aio_stream_transport_is_live(u)) return refuse(L, "this transport is closed");
  u->busy = busy;
  return 0;
}

const luaL_Reg aio_stream_transport_write_methods[] = {
    {"write", transport_write},
    {"writelines", transport_writelines},
    {"write_eof", transport_write_eof},
    {"can_write_eof", transport_can_write_eof},
    {"set_write_buffer_limits", transport_set_limits},
    {"get_write_buffer_limits", transport_get_limits},
    {"get_write_buffer_size", transport_get_size},
    {NULL, NULL}};

const luaL_Reg aio_stream_transport_functions[] = {{"_transport_busy", transport_busy},
                                                   {NULL, NULL}};
