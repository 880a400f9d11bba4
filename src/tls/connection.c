/* SPDX-License-Identifier: MIT
 *
 * The Lua object of a connection: it carries the filter to core._filter, then tells of the
 * connection for as long as the stream exists. Used by lua/aio/ssl.lua only, and by get_extra_info
 * through __index. Invariant: the object exists before what it holds. */
#include <string.h>

#include "tls/tls.h"

#define CONNECTION "aio.tls.connection"

typedef struct connection {
  aio_filter_ud base; /* must be first */
  tls_filter *fresh;  /* the same while base.filter is set */
  tls_info *info;
} connection;

enum { CONTEXT_UV = 1 };

static connection *self(lua_State *L) {
  return luaL_checkudata(L, 1, CONNECTION);
}

static int connection_gc(lua_State *L) {
  connection *c = self(L);
  if (c->base.filter) tls_filter_free(c->fresh);
  c->base.filter = NULL;
  if (c->info) tls_info_drop(c->info);
  c->info = NULL;
  return 0;
}

/* tls._connection(context, server, name, sni, key, handshake seconds, shutdown seconds): upvalue 1
 * is the struct aio_api. */
int tls_connection_new(lua_State *L) {
  const aio_api *api = lua_touserdata(L, lua_upvalueindex(1));
  tls_context *ctx = tls_context_check(L, 1);
  tls_options o = {.server = lua_toboolean(L, 2),
                   .name = lua_tostring(L, 3),
                   .sni = lua_tostring(L, 4),
                   .key = lua_tostring(L, 5),
                   .handshake_seconds = luaL_checknumber(L, 6),
                   .shutdown_seconds = luaL_checknumber(L, 7)};
  aio_mem mem;
  mem.fn = lua_getallocf(L, &mem.ud);
  connection *c = lua_newuserdatauv(L, sizeof *c, 1);
  memset(c, 0, sizeof *c);
  luaL_setmetatable(L, CONNECTION);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, CONTEXT_UV);
  if (!(c->info = tls_info_new()) || !(c->fresh = tls_filter_new(api, mem, ctx, c->info, &o)))
    return luaL_error(L, "not enough memory");
  c->base.filter = tls_filter_base(c->fresh);
  return 1;
}

/* connection[name]: what get_extra_info tells. */
static int connection_index(lua_State *L) {
  const connection *c = self(L);
  const char *name = luaL_checkstring(L, 2);
  if (strcmp(name, "sslcontext") != 0) return tls_info_push(L, c->info, name);
  lua_getiuservalue(L, 1, CONTEXT_UV);
  return 1;
}

/* tls._failure(connection): reason or nil, then of a certificate that was refused: the check that
 * failed (number, text), how far it is from the peer's own, and what it says. */
static int connection_failure(lua_State *L) {
  const tls_info *i = self(L)->info;
  lua_pushstring(L, i->reason);
  if (i->verify == X509_V_OK) return 1;
  lua_pushinteger(L, i->verify);
  lua_pushstring(L, i->verify_text);
  lua_pushinteger(L, i->depth);
  if (!i->culprit) return 4;
  tls_certificate_push(L, i->culprit);
  return 5;
}

/* tls._asked(connection): does it wait for an answer, and the name that the client asks for, or
 * nil. */
static int connection_asked(lua_State *L) {
  const tls_info *i = self(L)->info;
  lua_pushboolean(L, i->filter && tls_filter_asks(i->filter));
  lua_pushstring(L, i->named ? i->name : NULL);
  return 2;
}

/* tls._answer(connection, context or nil): goes on with that one. */
static int connection_answer(lua_State *L) {
  const connection *c = self(L);
  tls_context *ctx = lua_isnoneornil(L, 2) ? NULL : tls_context_check(L, 2);
  if (!c->info->filter || !tls_filter_answer(c->info->filter, ctx)) return 0;
  if (ctx) {
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, 1, CONTEXT_UV);
  }
  return 0;
}

void tls_connection_open(lua_State *L) {
  static const luaL_Reg meta[] = {
      {"__gc", connection_gc}, {"__index", connection_index}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_failure", connection_failure},
                                 {"_asked", connection_asked},
                                 {"_answer", connection_answer},
                                 {NULL, NULL}};
  luaL_newmetatable(L, CONNECTION);
  luaL_setfuncs(L, meta, 0);
  lua_pop(L, 1);
  luaL_setfuncs(L, fns, 0);
}
