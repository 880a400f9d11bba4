/* SPDX-License-Identifier: MIT
 *
 * The methods that all transports share. Invariant: the addresses are kept when a transport is
 * made, since connection_lost, when nothing is left below, may still ask for them. */
#include <stddef.h>
#include <string.h>

#include "bind/address.h"
#include "bind/stream.h"
#include "bind/transport.h"

enum { SELF = 1, ARG = 2, DEFAULT = 3 };

static aio_transport *self(lua_State *L) {
  const aio_state *st = aio_state_up(L);
  void *t = aio_object_test(L, st, SELF, AIO_REF_DATAGRAM_TRANSPORT);
  return t ? t : aio_object_check(L, st, SELF, AIO_REF_TRANSPORT);
}

/* ---- the addresses ---- */

/* The part of an address that says something. */
static size_t packed_size(const aio_address *a) {
  return a->path_len ? sizeof *a : offsetof(aio_address, path);
}

static void keep_name(lua_State *L, const aio_transport *t, bool peer, int uv) {
  aio_address a;
  memset(&a, 0, sizeof a); /* packed names are compared as bytes */
  if (t->kind->address(t, peer, &a)) return;
  lua_pushlstring(L, (const char *)&a, packed_size(&a));
  lua_setiuservalue(L, -2, uv);
}

void aio_transport_keep_names(lua_State *L, const aio_transport *t) {
  keep_name(L, t, false, AIO_TRANSPORT_UV_SELF_NAME);
  keep_name(L, t, true, AIO_TRANSPORT_UV_PEER_NAME);
}

/* Pushes the address kept among the user values; false and nothing pushed: there is none. */
static bool push_name(lua_State *L, int uv) {
  aio_address a;
  size_t len;
  lua_getiuservalue(L, SELF, uv);
  const char *packed = lua_tolstring(L, -1, &len);
  if (packed) memcpy(&a, packed, len);
  lua_pop(L, 1);
  if (packed) aio_address_push(L, &a);
  return packed != NULL;
}

/* The user value of what is asked for under `name`, 0 when it is no address. */
static int name_kept(const char *name) {
  if (strcmp(name, "peername") == 0) return AIO_TRANSPORT_UV_PEER_NAME;
  return strcmp(name, "sockname") == 0 ? AIO_TRANSPORT_UV_SELF_NAME : 0;
}

static int transport_get_extra_info(lua_State *L) {
  const aio_transport *t = self(L);
  const char *name = luaL_checkstring(L, ARG);
  lua_settop(L, DEFAULT);
  int uv = name_kept(name);
  if (!uv || !push_name(L, uv)) t->kind->info(L, t, name);
  return 1;
}

/* ---- the protocol ---- */

bool aio_transport_check_protocol(lua_State *L, int arg) {
  int type = lua_type(L, arg);
  if (type == LUA_TUSERDATA && luaL_getmetafield(L, arg, "__index") == LUA_TNIL) type = LUA_TNONE;
  luaL_argexpected(L, type == LUA_TTABLE || type == LUA_TUSERDATA, arg,
                   "protocol (a table with callbacks)");
  bool buffered = lua_getfield(L, arg, "get_buffer") != LUA_TNIL;
  lua_pop(L, type == LUA_TUSERDATA ? 2 : 1);
  return buffered;
}

static int transport_get_protocol(lua_State *L) {
  self(L);
  lua_getiuservalue(L, SELF, AIO_TRANSPORT_UV_PROTOCOL);
  return 1;
}

static int transport_set_protocol(lua_State *L) {
  aio_transport *t = self(L);
  t->buffered = aio_transport_check_protocol(L, ARG);
  lua_settop(L, ARG);
  lua_setiuservalue(L, SELF, AIO_TRANSPORT_UV_PROTOCOL);
  return 0;
}

/* ---- the water marks ---- */

void aio_transport_limits(lua_State *L, size_t *low, size_t *high) {
  size_t h, l;
  aio_stream_marks(L, &h, &l);
  if (h == SIZE_MAX) h = l == SIZE_MAX ? AIO_TRANSPORT_HIGH : 4 * l;
  if (l == SIZE_MAX) l = h / 4;
  luaL_argcheck(L, l <= h, ARG, "'low' must not be above 'high'");
  *high = h;
  *low = l;
}

/* ---- the end ---- */

void aio_transport_close(aio_transport *t) {
  if (t->kind->is_closing(t)) return;
  t->closing = true;
  t->kind->close(t);
}

void aio_transport_abort(aio_transport *t) {
  t->closing = true;
  t->kind->abort(t);
}

static int transport_close(lua_State *L) {
  aio_transport_close(self(L));
  return 0;
}

static int transport_abort(lua_State *L) {
  aio_transport_abort(self(L));
  return 0;
}

static int transport_is_closing(lua_State *L) {
  const aio_transport *t = self(L);
  lua_pushboolean(L, t->kind->is_closing(t));
  return 1;
}

static int transport_tostring(lua_State *L) {
  const aio_transport *t = self(L);
  const char *state = t->lost ? "closed" : t->kind->is_closing(t) ? "closing" : "open";
  lua_pushfstring(L, "%s (%s): %p", t->kind->name, state, lua_topointer(L, SELF));
  return 1;
}

void aio_transport_class_open(lua_State *L, aio_state *st, const aio_transport_kind *kind,
                              const luaL_Reg *own, lua_CFunction gc) {
  static const luaL_Reg methods[] = {{"get_extra_info", transport_get_extra_info},
                                     {"get_protocol", transport_get_protocol},
                                     {"set_protocol", transport_set_protocol},
                                     {"close", transport_close},
                                     {"abort", transport_abort},
                                     {"is_closing", transport_is_closing},
                                     {NULL, NULL}};
  const luaL_Reg meta[] = {{"__gc", gc}, {"__tostring", transport_tostring}, {NULL, NULL}};
  aio_class_open(L, st, kind->class, kind->name, methods, meta);
  aio_setfuncs(L, st, own);
}
