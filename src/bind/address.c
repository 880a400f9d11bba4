/* SPDX-License-Identifier: MIT
 *
 * Addresses to and from Lua values, and look-ups: the waiting parts of getaddrinfo and getnameinfo.
 * Called by streams, listeners and aio.address (Lua), which checks the arguments. Invariant: a
 * look-up belongs to a userdata on the stack of the task that waits for it. */
#include "bind/address.h"

#include <string.h>

#include "bind/error.h"
#include "bind/lloop.h"
#include "core/resolve.h"

/* ---- addresses ---- */

int aio_address_at(lua_State *L, int idx, aio_address *a) {
  if (lua_type(L, idx) == LUA_TSTRING) {
    size_t len;
    const char *path = lua_tolstring(L, idx, &len);
    return aio_address_path(a, path, len);
  }
  if (!lua_istable(L, idx)) return UV_EINVAL;
  int top = lua_gettop(L);
  if (lua_getfield(L, idx, "host") == LUA_TNIL) lua_rawgeti(L, idx, 1);
  int host = lua_gettop(L);
  if (lua_getfield(L, idx, "port") == LUA_TNIL) lua_rawgeti(L, idx, 2);
  lua_Integer port = lua_tointeger(L, -1);
  bool ok = lua_type(L, host) == LUA_TSTRING && port >= 0 && port <= 65535;
  int err = ok ? aio_address_ip(a, lua_tostring(L, host), (int)port) : UV_EINVAL;
  lua_settop(L, top);
  return err;
}

static void push_ip(lua_State *L, const aio_ip *ip) {
  char host[AIO_HOST_MAX];
  if (aio_ip_host(ip, host, sizeof host)) host[0] = '\0';
  lua_createtable(L, 0, 2);
  lua_pushstring(L, host);
  lua_setfield(L, -2, "host");
  lua_pushinteger(L, aio_ip_port(ip));
  lua_setfield(L, -2, "port");
}

void aio_address_push(lua_State *L, const aio_address *a) {
  if (a->ip.sa.sa_family == AF_INET || a->ip.sa.sa_family == AF_INET6)
    push_ip(L, &a->ip);
  else
    lua_pushlstring(L, a->path, a->path_len);
}

/* ---- what the system's numbers are called ---- */

typedef struct named {
  const char *name;
  int value;
} named;

static const named families[] = {{"inet", AF_INET}, {"inet6", AF_INET6}, {NULL, 0}};
static const named types[] = {{"stream", SOCK_STREAM}, {"dgram", SOCK_DGRAM}, {NULL, 0}};
static const named name_flags[] = {{"namereqd", NI_NAMEREQD},       {"dgram", NI_DGRAM},
                                   {"nofqdn", NI_NOFQDN},           {"numerichost", NI_NUMERICHOST},
                                   {"numericserv", NI_NUMERICSERV}, {NULL, 0}};

static int value_of(const named *table, const char *name) {
  for (; name && table->name; table++) {
    if (strcmp(table->name, name) == 0) return table->value;
  }
  return 0;
}

static void set_name(lua_State *L, const char *field, const named *table, int value) {
  while (table->name && table->value != value) table++;
  if (table->name)
    lua_pushstring(L, table->name);
  else
    lua_pushinteger(L, value);
  lua_setfield(L, -2, field);
}

/* ---- look-ups ---- */

static int lookup_gc(lua_State *L) {
  aio_lookup **k = lua_touserdata(L, 1);
  if (*k) aio_lookup_release(*k);
  *k = NULL;
  return 0;
}

static aio_lookup **lookup_push(lua_State *L, const aio_state *st) {
  return aio_object_new(L, st, AIO_REF_LOOKUP, sizeof(aio_lookup *), 0);
}

static void lookup_end(aio_lookup **k) {
  if (*k) aio_lookup_release(*k);
  *k = NULL;
}

enum { LOOKUP = 1 }; /* stack of the continuations */

/* Waits for the look-up at the top, which has been started. */
static int lookup_wait(lua_State *L, aio_task *t, aio_lookup **k, lua_KFunction resumed) {
  lua_replace(L, LOOKUP);
  aio_task_hold(L, t, LOOKUP);
  return aio_task_suspend(L, t, &(*k)->waiters, NULL, resumed);
}

/* What both continuations begin with: the look-up has ended; or NULL. */
static aio_lookup **lookup_resumed(lua_State *L, lua_KContext ctx) {
  aio_task *t = (aio_task *)ctx;
  aio_lookup **k = lua_touserdata(L, LOOKUP);
  if (t->wait.node.state == AIO_IDLE && aio_task_cancel_due(t)) lookup_end(k);
  return aio_task_resumed(L, ctx) ? k : NULL;
}

/* nil and the error object: the caller knows what was looked up. */
static int lookup_failed(lua_State *L, int err, const char *call) {
  if (err == UV_EAI_MEMORY || err == UV_ENOMEM) return luaL_error(L, "not enough memory");
  lua_pushnil(L);
  aio_error_push_os(L, aio_state_up(L), err, call);
  return 2;
}

static int lookup_ended(lua_State *L, aio_lookup **k, const char *call) {
  int status = (*k)->status;
  lookup_end(k);
  return lookup_failed(L, status, call);
}

static void push_entry(lua_State *L, const struct addrinfo *ai, const aio_address *a) {
  push_ip(L, &a->ip);
  set_name(L, "family", families, ai->ai_family);
  set_name(L, "type", types, ai->ai_socktype);
  lua_pushinteger(L, ai->ai_protocol);
  lua_setfield(L, -2, "proto");
  lua_pushstring(L, ai->ai_canonname ? ai->ai_canonname : "");
  lua_setfield(L, -2, "canonname");
}

static int host_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_lookup **k = lookup_resumed(L, ctx);
  if (!k) return aio_suspend_again(L, ctx, host_k);
  if ((*k)->status) return lookup_ended(L, k, "getaddrinfo");
  lua_newtable(L);
  lua_Integer n = 0;
  for (const struct addrinfo *ai = (*k)->req.info.addrinfo; ai; ai = ai->ai_next) {
    aio_address a;
    if (aio_address_copy(&a, ai->ai_addr)) continue;
    push_entry(L, ai, &a);
    lua_rawseti(L, -2, ++n);
  }
  lookup_end(k);
  return 1;
}

/* core._lookup_host(host or nil, service or nil, family or nil, type or nil, passive): a list of
 * addresses, or nil and an OSError. [may yield] */
static int lookup_host(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_NET);
  lua_settop(L, 5);
  struct addrinfo hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = value_of(families, lua_tostring(L, 3));
  hints.ai_socktype = value_of(types, lua_tostring(L, 4));
  hints.ai_flags = lua_toboolean(L, 5) ? AI_PASSIVE : 0;
  aio_task *t = aio_task_waiter(L, st);
  aio_lookup **k = lookup_push(L, st);
  int err = aio_lookup_host(t->fut.loop->core, k, lua_tostring(L, 1), lua_tostring(L, 2), &hints);
  if (err) return lookup_failed(L, err, "getaddrinfo");
  return lookup_wait(L, t, k, host_k);
}

static int name_k(lua_State *L, int status, lua_KContext ctx) {
  (void)status;
  aio_lookup **k = lookup_resumed(L, ctx);
  if (!k) return aio_suspend_again(L, ctx, name_k);
  if ((*k)->status) return lookup_ended(L, k, "getnameinfo");
  lua_pushstring(L, (*k)->req.name.host);
  lua_pushstring(L, (*k)->req.name.service);
  lookup_end(k);
  return 2;
}

/* core._lookup_name(address, flag names...): host and service, or nil and an
 * OSError. [may yield] */
static int lookup_name(lua_State *L) {
  aio_state *st = aio_state_up(L);
  aio_state_require(L, st, AIO_FEATURE_NET);
  aio_address a;
  int err = aio_address_at(L, 1, &a), flags = 0;
  for (int i = 2; i <= lua_gettop(L); i++) flags |= value_of(name_flags, lua_tostring(L, i));
  aio_task *t = aio_task_waiter(L, st);
  aio_lookup **k = lookup_push(L, st);
  if (!err) err = aio_lookup_name(t->fut.loop->core, k, &a.ip, flags);
  if (err) return lookup_failed(L, err, "getnameinfo");
  return lookup_wait(L, t, k, name_k);
}

/* core._numeric(host, port): {host=, port=} when the host is in digits, else nil. */
static int numeric(lua_State *L) {
  aio_address a;
  if (aio_address_ip(&a, luaL_checkstring(L, 1), (int)luaL_checkinteger(L, 2))) return 0;
  if (a.ip.sa.sa_family == AF_INET) {
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, 1); /* there is only one way to write it */
    lua_setfield(L, -2, "host");
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "port");
  } else {
    push_ip(L, &a.ip);
  }
  set_name(L, "family", families, a.ip.sa.sa_family);
  return 1;
}

void aio_address_open(lua_State *L, aio_state *st) {
  static const luaL_Reg meta[] = {{"__gc", lookup_gc}, {NULL, NULL}};
  static const luaL_Reg fns[] = {{"_lookup_host", lookup_host},
                                 {"_lookup_name", lookup_name},
                                 {"_numeric", numeric},
                                 {NULL, NULL}};
  aio_class_open(L, st, AIO_REF_LOOKUP, "Lookup", NULL, meta);
  lua_pop(L, 1);
  aio_setfuncs(L, st, fns);
}
