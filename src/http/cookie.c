/* SPDX-License-Identifier: MIT
 *
 * Cookies for Lua: the face of src/proto/cookie. Used by lua/aio/http/cookie.lua. */
#include "http/forms.h"

#include "proto/cookie.h"

static aio_slice check_slice(lua_State *L, int arg) {
  aio_slice s;
  s.at = luaL_checklstring(L, arg, &s.len);
  return s;
}

/* hc.parse_cookie(header): a map of names to values; of a name that comes again the first value,
 * which belongs to the closest path. */
static int cookie_parse(lua_State *L) {
  aio_slice rest = check_slice(L, 1), name, value;
  lua_settop(L, 1);
  lua_newtable(L);
  while (aio_cookie_next(&rest, &name, &value)) {
    lua_pushlstring(L, name.at, name.len);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, 2) == LUA_TNIL) {
      lua_pop(L, 1);
      lua_pushlstring(L, value.at, value.len);
      lua_rawset(L, 2);
    } else {
      lua_pop(L, 2);
    }
  }
  return 1;
}

static void set_slice(lua_State *L, const char *key, aio_slice s, bool there) {
  if (!there) return;
  lua_pushlstring(L, s.at, s.len);
  lua_setfield(L, -2, key);
}

static void set_number(lua_State *L, const char *key, int64_t value, bool there) {
  if (!there) return;
  lua_pushinteger(L, value);
  lua_setfield(L, -2, key);
}

static void set_flag(lua_State *L, const char *key, bool there) {
  if (!there) return;
  lua_pushboolean(L, true);
  lua_setfield(L, -2, key);
}

/* hc.parse_set_cookie(header): a table of name, value and the attributes that there are; nil when
 * the header is to be ignored. */
static int set_cookie_parse(lua_State *L) {
  aio_set_cookie c;
  if (!aio_set_cookie_parse(check_slice(L, 1), &c)) return 0;
  lua_createtable(L, 0, 8);
  set_slice(L, "name", c.name, true);
  set_slice(L, "value", c.value, true);
  set_slice(L, "domain", c.domain, c.domain.len > 0);
  set_slice(L, "path", c.path, c.path.len > 0);
  set_slice(L, "samesite", c.same_site, c.same_site.len > 0);
  set_number(L, "expires", c.expires, c.has_expires);
  set_number(L, "max_age", c.max_age, c.has_max_age);
  set_flag(L, "secure", c.secure);
  set_flag(L, "httponly", c.http_only);
  set_flag(L, "partitioned", c.partitioned);
  return 1;
}

/* hc.bad_cookie(what, text): where the first byte is that a "name", a "value" or an "attribute"
 * cannot have, from 1; nil when there is none. */
static int cookie_bad(lua_State *L) {
  static const char *const kinds[] = {"name", "value", "attribute", NULL};
  static const char *(*const looks[])(aio_slice) = {aio_cookie_bad_name, aio_cookie_bad_value,
                                                    aio_cookie_bad_attribute};
  aio_slice s = check_slice(L, 2);
  const char *bad = looks[luaL_checkoption(L, 1, NULL, kinds)](s);
  if (!bad) return 0;
  lua_pushinteger(L, bad - s.at + 1);
  return 1;
}

void http_cookie_open(lua_State *L) {
  static const luaL_Reg fns[] = {{"parse_cookie", cookie_parse},
                                 {"parse_set_cookie", set_cookie_parse},
                                 {"bad_cookie", cookie_bad},
                                 {NULL, NULL}};
  luaL_setfuncs(L, fns, 0);
}
