/* SPDX-License-Identifier: MIT
 *
 * See headers.h: its methods, and the check of fields that are to be sent. A field is looked for by
 * its length first, so that no index is needed. */
#include "http/headers.h"

#include <string.h>

#include "proto/chars.h"

enum { SELF = 1, NAME = 2 };

void http_headers_push(lua_State *L, const head *from, int meta) {
  uint32_t base = from->nfields ? from->fields[0].name : from->len;
  size_t text = from->len - base, fields = from->nfields * sizeof(head_field);
  http_headers *h = lua_newuserdatauv(L, sizeof *h + fields + text, 0);
  h->n = from->nfields;
  for (uint32_t i = 0; i < h->n; i++) {
    h->fields[i] = from->fields[i];
    h->fields[i].name -= base;
    h->fields[i].value -= base;
  }
  memcpy(h->fields + h->n, from->text + base, text);
  lua_pushvalue(L, meta);
  lua_setmetatable(L, -2);
}

const http_headers *http_headers_test(lua_State *L, int idx) {
  return luaL_testudata(L, idx, HTTP_HEADERS);
}

static const http_headers *self(lua_State *L) {
  const http_headers *h = http_headers_test(L, SELF);
  if (!h) luaL_typeerror(L, SELF, "Headers");
  return h;
}

/* The first field of that name from the `from`th on; h->n: none. */
static uint32_t find(const http_headers *h, const char *name, size_t len, uint32_t from) {
  const char *text = http_headers_text(h);
  for (uint32_t i = from; i < h->n; i++) {
    const head_field *f = &h->fields[i];
    if (f->name_len == len && chars_same_any(text + f->name, name, len)) return i;
  }
  return h->n;
}

static void push_value(lua_State *L, const http_headers *h, uint32_t i) {
  lua_pushlstring(L, http_headers_text(h) + h->fields[i].value, h->fields[i].value_len);
}

/* Is the value of the name at NAME there? It is then pushed. */
static bool push_first(lua_State *L, const http_headers *h) {
  size_t len;
  const char *name = luaL_checklstring(L, NAME, &len);
  uint32_t i = find(h, name, len, 0);
  if (i < h->n) push_value(L, h, i);
  return i < h->n;
}

/* h[name]: a method (upvalue 1 has them), or the first value of that name. */
static int headers_index(lua_State *L) {
  const http_headers *h = lua_touserdata(L, SELF);
  if (lua_type(L, NAME) != LUA_TSTRING) return 0;
  lua_pushvalue(L, NAME);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  return push_first(L, h);
}

static int headers_newindex(lua_State *L) {
  return luaL_error(L,
                    "headers that were received cannot be changed; make http.Headers(h) of them");
}

static int headers_get(lua_State *L) {
  const http_headers *h = self(L);
  lua_settop(L, 3);
  push_first(L, h); /* else the default is at the top */
  return 1;
}

/* The metatable that makes an empty list one of JSON, too: aio.json.array. */
static void push_array_mark(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, "aio.json.array");
  lua_remove(L, -2);
}

static int headers_get_all(lua_State *L) {
  const http_headers *h = self(L);
  size_t len;
  const char *name = luaL_checklstring(L, NAME, &len);
  lua_newtable(L);
  lua_Integer n = 0;
  for (uint32_t i = find(h, name, len, 0); i < h->n; i = find(h, name, len, i + 1)) {
    push_value(L, h, i);
    lua_rawseti(L, -2, ++n);
  }
  push_array_mark(L);
  lua_setmetatable(L, -2);
  return 1;
}

static int headers_has(lua_State *L) {
  const http_headers *h = self(L);
  size_t len;
  const char *name = luaL_checklstring(L, NAME, &len);
  lua_pushboolean(L, find(h, name, len, 0) < h->n);
  return 1;
}

static int headers_len(lua_State *L) {
  lua_pushinteger(L, self(L)->n);
  return 1;
}

/* The iterator of pairs: upvalues headers, how many it has given. */
static int headers_next(lua_State *L) {
  const http_headers *h = lua_touserdata(L, lua_upvalueindex(1));
  lua_Integer i = lua_tointeger(L, lua_upvalueindex(2));
  if (i >= (lua_Integer)h->n) return 0;
  lua_pushinteger(L, i + 1);
  lua_replace(L, lua_upvalueindex(2));
  const head_field *f = &h->fields[i];
  lua_pushlstring(L, http_headers_text(h) + f->name, f->name_len);
  push_value(L, h, (uint32_t)i);
  return 2;
}

static int headers_pairs(lua_State *L) {
  self(L);
  lua_settop(L, SELF);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, headers_next, 2);
  return 1;
}

static int headers_tostring(lua_State *L) {
  lua_pushfstring(L, "Headers (%d): %p", (int)self(L)->n, lua_topointer(L, SELF));
  return 1;
}

/* ---- fields to be sent ---- */

static int refuse_field(lua_State *L, const char *what, const char *name, size_t len) {
  char excerpt[64];
  chars_excerpt(excerpt, sizeof excerpt, name, len);
  lua_pushfstring(L, "the header \"%s\" %s", excerpt, what);
  return 1;
}

/* hc.check_field(name, value): nil, or what is wrong with them. Numbers are texts too. */
static int check_field(lua_State *L) {
  size_t len, n;
  const char *name = lua_tolstring(L, 1, &len), *value = lua_tolstring(L, 2, &n);
  if (!name) {
    lua_pushfstring(L, "the name of a header is a %s, a string expected", luaL_typename(L, 1));
    return 1;
  }
  if (len == 0 || len > HEAD_LINE_MAX || chars_span(name, len, CHARS_TOKEN) < len)
    return refuse_field(L, "has a name that is no token", name, len);
  if (!value) return refuse_field(L, "has a value that is no string and no number", name, len);
  if (chars_span(value, n, CHARS_VALUE) < n)
    return refuse_field(L, "has a value with a control character", name, len);
  return 0;
}

void http_headers_open(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"get", headers_get}, {"get_all", headers_get_all}, {"has", headers_has}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__newindex", headers_newindex},
                                  {"__len", headers_len},
                                  {"__pairs", headers_pairs},
                                  {"__tostring", headers_tostring},
                                  {NULL, NULL}};
  static const luaL_Reg fns[] = {{"check_field", check_field}, {NULL, NULL}};
  luaL_setfuncs(L, fns, 0);
  luaL_newmetatable(L, HTTP_HEADERS);
  luaL_setfuncs(L, meta, 0);
  lua_pushliteral(L, "Headers");
  lua_setfield(L, -2, "__name");
  luaL_newlib(L, methods);
  lua_pushcclosure(L, headers_index, 1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
