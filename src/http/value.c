/* SPDX-License-Identifier: MIT
 *
 * Values of headers for Lua: dates, values with parameters, and methods: the faces of
 * src/proto/{date,method,param}. Used by lua/aio/http/{value,cookie,multipart,application}.lua and
 * whoever writes a date. */
#include "http/forms.h"

#include <time.h>

#include "proto/date.h"
#include "proto/method.h"
#include "proto/param.h"

static aio_slice check_slice(lua_State *L, int arg) {
  aio_slice s;
  s.at = luaL_checklstring(L, arg, &s.len);
  return s;
}

/* hc.http_date([seconds]): the date as headers have it; now, when none is given. */
static int http_date(lua_State *L) {
  char text[AIO_DATE_LEN];
  int64_t seconds = (int64_t)time(NULL);
  if (!lua_isnoneornil(L, 1)) {
    lua_Number n = luaL_checknumber(L, 1);
    luaL_argcheck(L, n >= (lua_Number)AIO_DATE_MIN && n <= (lua_Number)AIO_DATE_MAX, 1,
                  "seconds since 1970, before the year 10000, expected");
    seconds = (int64_t)n - (n < (lua_Number)(int64_t)n);
  }
  aio_date_write(text, seconds);
  lua_pushlstring(L, text, sizeof text);
  return 1;
}

/* hc.is_method(text): does the parser let requests with this method in? */
static int is_method(lua_State *L) {
  aio_slice s = check_slice(L, 1);
  lua_pushboolean(L, method_is_known(s.at, s.len));
  return 1;
}

/* hc.parse_date(text [, now]): seconds since 1970, or nil. */
static int parse_date(lua_State *L) {
  int64_t seconds;
  lua_Integer now = luaL_optinteger(L, 2, (lua_Integer)time(NULL));
  if (!aio_date_parse(aio_slice_trim(check_slice(L, 1)), now, &seconds)) return 0;
  lua_pushinteger(L, seconds);
  return 1;
}

static void push_lower(lua_State *L, aio_slice s) {
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, s.len);
  for (size_t i = 0; i < s.len; i++) to[i] = aio_lower(s.at[i]);
  luaL_pushresultsize(&b, s.len);
}

static void push_unquoted(lua_State *L, const aio_param *p, bool paths) {
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, p->value.len);
  luaL_pushresultsize(&b, aio_param_unquote(to, p, paths));
}

/* Adds the parameters to the table at the top; of a name that comes again the first stays. */
static void add_params(lua_State *L, aio_slice *rest, bool list, bool paths) {
  aio_param p;
  while (aio_param_next(rest, list, &p)) {
    push_lower(L, p.name);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNIL) {
      lua_pop(L, 1);
      push_unquoted(L, &p, paths);
      lua_rawset(L, -3);
    } else {
      lua_pop(L, 2);
    }
  }
}

/* hc.parse_params(text [, "path"]): the value, and a map of its parameters, whose names are in
 * lower case; nil when there is no value. */
static int parse_params(lua_State *L) {
  static const char *const kinds[] = {"plain", "path", NULL};
  aio_slice rest = check_slice(L, 1), value;
  bool paths = luaL_checkoption(L, 2, "plain", kinds) == 1;
  if (!aio_value_next(&rest, false, &value)) return 0;
  lua_pushlstring(L, value.at, value.len);
  lua_newtable(L);
  add_params(L, &rest, false, paths);
  return 2;
}

/* hc.parse_list(text, most): a flat list of values and maps of parameters; false when there are
 * more than `most` values. */
static int parse_list(lua_State *L) {
  aio_slice rest = check_slice(L, 1), value;
  lua_Integer most = luaL_checkinteger(L, 2), n = 0;
  lua_newtable(L);
  while (aio_value_next(&rest, true, &value)) {
    if (n / 2 >= most) {
      lua_pushboolean(L, false);
      return 1;
    }
    lua_pushlstring(L, value.at, value.len);
    lua_rawseti(L, -2, ++n);
    lua_newtable(L);
    add_params(L, &rest, true, false);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

void http_value_open(lua_State *L) {
  static const luaL_Reg fns[] = {{"http_date", http_date},   {"is_method", is_method},
                                 {"parse_date", parse_date}, {"parse_params", parse_params},
                                 {"parse_list", parse_list}, {NULL, NULL}};
  luaL_setfuncs(L, fns, 0);
}
