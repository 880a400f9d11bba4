/* SPDX-License-Identifier: MIT
 *
 * socket:setsockopt and getsockopt: options by name, with Lua's booleans and numbers; or by the
 * system's numbers, for what has no name here. Called by Lua. */
#include <string.h>

#include "bind/socket.h"

enum { SELF = 1, NAME = 2, VALUE = 3, OPTION_AT = 3, RAW_VALUE = 4, SIZE_AT = 4 };
enum { SIZE_MAX_RAW = 1024 }; /* of a value by numbers */

enum kind { OPT_FLAG, OPT_NUMBER, OPT_LINGER, OPT_ERROR, OPT_READ_ONLY_FLAG };

typedef struct option {
  const char *name;
  int level, number;
  enum kind kind;
} option;

static const option options[] = {
    {"reuseaddr", SOL_SOCKET, SO_REUSEADDR, OPT_FLAG},
#ifdef SO_REUSEPORT
    {"reuseport", SOL_SOCKET, SO_REUSEPORT, OPT_FLAG},
#endif
    {"broadcast", SOL_SOCKET, SO_BROADCAST, OPT_FLAG},
    {"keepalive", SOL_SOCKET, SO_KEEPALIVE, OPT_FLAG},
    {"oobinline", SOL_SOCKET, SO_OOBINLINE, OPT_FLAG},
    {"rcvbuf", SOL_SOCKET, SO_RCVBUF, OPT_NUMBER},
    {"sndbuf", SOL_SOCKET, SO_SNDBUF, OPT_NUMBER},
    {"linger", SOL_SOCKET, SO_LINGER, OPT_LINGER},
    {"error", SOL_SOCKET, SO_ERROR, OPT_ERROR},
    {"acceptconn", SOL_SOCKET, SO_ACCEPTCONN, OPT_READ_ONLY_FLAG},
    {"nodelay", IPPROTO_TCP, TCP_NODELAY, OPT_FLAG},
#ifdef TCP_KEEPIDLE
    {"keepidle", IPPROTO_TCP, TCP_KEEPIDLE, OPT_NUMBER},
#endif
#ifdef TCP_KEEPINTVL
    {"keepintvl", IPPROTO_TCP, TCP_KEEPINTVL, OPT_NUMBER},
#endif
#ifdef TCP_KEEPCNT
    {"keepcnt", IPPROTO_TCP, TCP_KEEPCNT, OPT_NUMBER},
#endif
    {"ttl", IPPROTO_IP, IP_TTL, OPT_NUMBER},
    {"v6only", IPPROTO_IPV6, IPV6_V6ONLY, OPT_FLAG},
    {NULL, 0, 0, OPT_FLAG},
};

static const option *check_option(lua_State *L) {
  const char *name = luaL_checkstring(L, NAME);
  const option *o = options;
  while (o->name && strcmp(o->name, name) != 0) o++;
  if (o->name) return o;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (o = options; o->name; o++) {
    if (o != options) luaL_addstring(&b, ", ");
    luaL_addstring(&b, o->name);
  }
  luaL_pushresult(&b);
  lua_pushfstring(L, "unknown option '%s' (there is: %s; others by level and number)", name,
                  lua_tostring(L, -1));
  luaL_argerror(L, NAME, lua_tostring(L, -1));
  return NULL;
}

static int set_named(lua_State *L, aio_sock s, const option *o) {
  int value;
  luaL_argcheck(L, o->kind != OPT_ERROR && o->kind != OPT_READ_ONLY_FLAG, NAME,
                "this option can only be read");
  if (o->kind == OPT_LINGER) {
    bool off = lua_type(L, VALUE) == LUA_TBOOLEAN && !lua_toboolean(L, VALUE);
    lua_Integer seconds = off ? -1 : luaL_checkinteger(L, VALUE);
    luaL_argcheck(L, off || (seconds >= 0 && seconds <= UINT16_MAX), VALUE,
                  "seconds, not negative, or false expected");
    return aio_sock_set_linger(s, (int)seconds);
  }
  if (o->kind == OPT_FLAG) {
    luaL_checktype(L, VALUE, LUA_TBOOLEAN);
    value = lua_toboolean(L, VALUE);
  } else {
    value = (int)luaL_checkinteger(L, VALUE);
  }
  return aio_sock_set(s, o->level, o->number, &value, sizeof value);
}

static int set_numbered(lua_State *L, aio_sock s) {
  int level = (int)luaL_checkinteger(L, NAME), number = (int)luaL_checkinteger(L, OPTION_AT);
  if (lua_type(L, RAW_VALUE) == LUA_TSTRING) {
    size_t len;
    const char *bytes = lua_tolstring(L, RAW_VALUE, &len);
    return aio_sock_set(s, level, number, bytes, len);
  }
  int value = (int)luaL_checkinteger(L, RAW_VALUE);
  return aio_sock_set(s, level, number, &value, sizeof value);
}

static int socket_setsockopt(lua_State *L) {
  const aio_socket_ud *u = aio_socket_check(L, SELF);
  int err = lua_type(L, NAME) == LUA_TNUMBER ? set_numbered(L, u->s)
                                             : set_named(L, u->s, check_option(L));
  return err ? aio_socket_raise(L, err, "setsockopt") : 0;
}

static int get_named(lua_State *L, aio_sock s, const option *o) {
  int value = 0;
  size_t len = sizeof value;
  int err = o->kind == OPT_LINGER ? aio_sock_get_linger(s, &value)
                                  : aio_sock_get(s, o->level, o->number, &value, &len);
  if (err) return err;
  switch (o->kind) {
  case OPT_ERROR: {
    char name[32];
    uv_err_name_r(uv_translate_sys_error(value), name, sizeof name);
    if (value)
      lua_pushstring(L, name);
    else
      lua_pushnil(L);
    break;
  }
  case OPT_LINGER:
    if (value < 0)
      lua_pushboolean(L, 0);
    else
      lua_pushinteger(L, value);
    break;
  case OPT_NUMBER:
    lua_pushinteger(L, value);
    break;
  default:
    lua_pushboolean(L, value);
  }
  return 0;
}

/* With a size the bytes as they are, else a number. */
static int get_numbered(lua_State *L, aio_sock s) {
  int level = (int)luaL_checkinteger(L, NAME), number = (int)luaL_checkinteger(L, OPTION_AT);
  char bytes[SIZE_MAX_RAW];
  int value = 0;
  size_t len = sizeof value;
  bool raw = !lua_isnoneornil(L, SIZE_AT);
  if (raw) {
    lua_Integer size = luaL_checkinteger(L, SIZE_AT);
    luaL_argcheck(L, size > 0 && size <= SIZE_MAX_RAW, SIZE_AT, "a size from 1 to 1024 expected");
    len = (size_t)size;
  }
  int err = aio_sock_get(s, level, number, raw ? bytes : (char *)&value, &len);
  if (err) return err;
  if (raw)
    lua_pushlstring(L, bytes, len);
  else
    lua_pushinteger(L, value);
  return 0;
}

static int socket_getsockopt(lua_State *L) {
  const aio_socket_ud *u = aio_socket_check(L, SELF);
  int err = lua_type(L, NAME) == LUA_TNUMBER ? get_numbered(L, u->s)
                                             : get_named(L, u->s, check_option(L));
  return err ? aio_socket_raise(L, err, "getsockopt") : 1;
}

const luaL_Reg aio_socket_option_methods[] = {
    {"setsockopt", socket_setsockopt}, {"getsockopt", socket_getsockopt}, {NULL, NULL}};
