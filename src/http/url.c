/* SPDX-License-Identifier: MIT
 *
 * URLs, queries and percent coding for Lua: the faces of src/proto/{url,query,percent}. Used by
 * lua/aio/http/{url,query,form}.lua. */
#include "http/forms.h"

#include "proto/percent.h"
#include "proto/query.h"
#include "proto/url.h"

enum { MOST_ENCODED = 1 << 30 }; /* bytes to encode at once: three times as much still is a size */

static aio_slice check_slice(lua_State *L, int arg) {
  aio_slice s;
  s.at = luaL_checklstring(L, arg, &s.len);
  return s;
}

static void push_part(lua_State *L, const aio_url *u, aio_span part, bool there) {
  if (there)
    lua_pushlstring(L, u->text + part.at, part.len);
  else
    lua_pushnil(L);
}

static int push_url(lua_State *L, const aio_url *u) {
  lua_pushlstring(L, u->text, u->len);
  push_part(L, u, u->scheme, true);
  push_part(L, u, u->user, u->user.len > 0);
  push_part(L, u, u->password, u->password.len > 0);
  push_part(L, u, u->host, true);
  lua_pushinteger(L, u->port);
  lua_pushboolean(L, u->port_written);
  push_part(L, u, u->path, true);
  push_part(L, u, u->query, u->has_query);
  push_part(L, u, u->fragment, u->has_fragment);
  return 10;
}

/* hc.url(text [, base]): the URL in its one spelling, scheme, user, password, host, port, is the
 * port written?, path, query, fragment, each as it stands there and nil when there is none; or nil
 * and why it is no URL. */
static int url_parse(lua_State *L) {
  aio_slice s = check_slice(L, 1), base_text = {NULL, 0};
  aio_url base, u;
  luaL_Buffer b, b2;
  const char *wrong = NULL;
  bool with_base = !lua_isnoneornil(L, 2);
  luaL_argcheck(L, s.len <= AIO_URL_MAX, 1, "a URL of at most a MiB expected");
  if (with_base) {
    base_text = check_slice(L, 2);
    luaL_argcheck(L, base_text.len <= AIO_URL_MAX, 2, "a URL of at most a MiB expected");
    char *room = luaL_buffinitsize(L, &b2, aio_url_room(base_text.len, NULL));
    wrong = aio_url_parse(&base, room, base_text, NULL);
  }
  if (!wrong) {
    char *room = luaL_buffinitsize(L, &b, aio_url_room(s.len, with_base ? &base : NULL));
    wrong = aio_url_parse(&u, room, s, with_base ? &base : NULL);
  }
  if (!wrong) return push_url(L, &u);
  lua_pushnil(L);
  lua_pushstring(L, wrong);
  return 2;
}

/* ---- percent coding ---- */

static const char *const set_names[] = {"component", "segment",  "path", "query",
                                        "fragment",  "userinfo", "form", NULL};

static const enum aio_percent_set set_of[] = {AIO_PERCENT_COMPONENT, AIO_PERCENT_SEGMENT,
                                              AIO_PERCENT_PATH,      AIO_PERCENT_QUERY,
                                              AIO_PERCENT_FRAGMENT,  AIO_PERCENT_USERINFO};

enum { FORM = sizeof set_of / sizeof *set_of };

/* hc.percent_encode(text [, where]) */
static int percent_encode(lua_State *L) {
  aio_slice s = check_slice(L, 1);
  int set = luaL_checkoption(L, 2, "component", set_names);
  luaL_argcheck(L, s.len < MOST_ENCODED, 1, "text is too long");
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, 3 * s.len);
  size_t n = set == FORM ? aio_percent_encode_form(to, s) : aio_percent_encode(to, s, set_of[set]);
  luaL_pushresultsize(&b, n);
  return 1;
}

static void push_decoded(lua_State *L, aio_slice s, bool plus) {
  bool plain = !memchr(s.at, '%', s.len) && !(plus && memchr(s.at, '+', s.len));
  if (plain) {
    lua_pushlstring(L, s.at, s.len);
    return;
  }
  luaL_Buffer b;
  char *to = luaL_buffinitsize(L, &b, s.len);
  luaL_pushresultsize(&b, aio_percent_decode(to, s, plus));
}

/* hc.percent_decode(text [, "form"]) */
static int percent_decode(lua_State *L) {
  static const char *const kinds[] = {"component", "form", NULL};
  aio_slice s = check_slice(L, 1);
  push_decoded(L, s, luaL_checkoption(L, 2, "component", kinds) == 1);
  return 1;
}

/* ---- queries ---- */

/* hc.parse_query(text, most): { name, value, name, value, ... }, or nil when there are more than
 * `most` fields. */
static int query_parse(lua_State *L) {
  aio_slice rest = check_slice(L, 1), name, value;
  lua_Integer most = luaL_checkinteger(L, 2), n = 0;
  lua_newtable(L);
  while (aio_query_next(&rest, &name, &value)) {
    if (n / 2 >= most) return 0;
    push_decoded(L, name, true);
    lua_rawseti(L, -2, ++n);
    push_decoded(L, value, true);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* hc.encode_query({ name, value, name, value, ... }) */
static int query_encode(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
  lua_settop(L, 1);
  lua_pushnil(L);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (lua_Integer i = 1; i <= n; i++) {
    aio_slice s;
    if (i > 1) luaL_addchar(&b, i % 2 ? '&' : '=');
    lua_rawgeti(L, 1, i);
    s.at = lua_tolstring(L, -1, &s.len);
    if (!s.at || s.len >= MOST_ENCODED) return luaL_argerror(L, 1, "strings expected");
    lua_replace(L, 2); /* the buffer may stand above it only */
    luaL_addsize(&b, aio_percent_encode_form(luaL_prepbuffsize(&b, 3 * s.len), s));
  }
  luaL_pushresult(&b);
  return 1;
}

void http_url_open(lua_State *L) {
  static const luaL_Reg fns[] = {{"url", url_parse},
                                 {"percent_encode", percent_encode},
                                 {"percent_decode", percent_decode},
                                 {"parse_query", query_parse},
                                 {"encode_query", query_encode},
                                 {NULL, NULL}};
  luaL_setfuncs(L, fns, 0);
}
