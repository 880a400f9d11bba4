/* SPDX-License-Identifier: MIT
 *
 * From JSON to Lua values: jansson makes a tree, which becomes tables and is freed. Invariant: the
 * tree belongs to a userdata from the start, so that an error while tables are made loses nothing.
 */
#include <jansson.h>

#include "json/json.h"

#define TREE "aio.json.tree"

enum { TEXT = 1, UNIQUE = 2, TREE_SLOT = 3, SPARE = 6 };

static int tree_gc(lua_State *L) {
  json_t **tree = lua_touserdata(L, 1);
  json_decref(*tree);
  *tree = NULL;
  return 0;
}

static json_t **new_tree(lua_State *L) {
  json_t **tree = lua_newuserdatauv(L, sizeof *tree, 0);
  *tree = NULL;
  if (luaL_newmetatable(L, TREE)) {
    lua_pushcfunction(L, tree_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return tree;
}

static bool push_value(lua_State *L, json_t *v, int depth);

static bool push_array(lua_State *L, const json_t *v, int depth) {
  size_t n = json_array_size(v);
  lua_createtable(L, n < INT32_MAX ? (int)n : 0, 0);
  for (size_t i = 0; i < n; i++) {
    if (!push_value(L, json_array_get(v, i), depth)) return false;
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_pushvalue(L, lua_upvalueindex(JSON_ARRAY_UPVALUE));
  lua_setmetatable(L, -2);
  return true;
}

static bool push_object(lua_State *L, json_t *v, int depth) {
  size_t n = json_object_size(v);
  lua_createtable(L, 0, n < INT32_MAX ? (int)n : 0);
  const char *key;
  json_t *item;
  json_object_foreach(v, key, item) {
    lua_pushstring(L, key);
    if (!push_value(L, item, depth)) return false;
    lua_rawset(L, -3);
  }
  return true;
}

/* False when the tree is too deep. */
static bool push_value(lua_State *L, json_t *v, int depth) {
  switch (json_typeof(v)) {
  case JSON_OBJECT:
  case JSON_ARRAY:
    if (depth == JSON_MAX_DEPTH) return false;
    luaL_checkstack(L, SPARE, NULL);
    return json_is_object(v) ? push_object(L, v, depth + 1) : push_array(L, v, depth + 1);
  case JSON_STRING:
    lua_pushlstring(L, json_string_value(v), json_string_length(v));
    return true;
  case JSON_INTEGER:
    lua_pushinteger(L, json_integer_value(v));
    return true;
  case JSON_REAL:
    lua_pushnumber(L, json_real_value(v));
    return true;
  case JSON_NULL:
    lua_pushvalue(L, lua_upvalueindex(JSON_NULL_UPVALUE));
    return true;
  default:
    lua_pushboolean(L, json_is_true(v));
    return true;
  }
}

static int refuse(lua_State *L, const char *why, int line, int column, int byte, bool too_big) {
  lua_pushboolean(L, false);
  lua_pushstring(L, why);
  lua_pushinteger(L, line);
  lua_pushinteger(L, column);
  lua_pushinteger(L, byte);
  lua_pushboolean(L, too_big);
  return 6;
}

static int failed(lua_State *L, const json_error_t *e) {
  enum json_error_code code = json_error_code(e);
  if (code == json_error_out_of_memory) return luaL_error(L, "not enough memory");
  return refuse(L, e->text, e->line, e->column, e->position, code == json_error_numeric_overflow);
}

int json_decode(lua_State *L) {
  size_t n;
  const char *text = luaL_checklstring(L, TEXT, &n);
  size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
  if (lua_toboolean(L, UNIQUE)) flags |= JSON_REJECT_DUPLICATES;
  lua_settop(L, UNIQUE);
  json_t **tree = new_tree(L);
  json_error_t e;
  *tree = json_loadb(text, n, flags, &e);
  if (!*tree) return failed(L, &e);
  lua_pushboolean(L, true);
  if (!push_value(L, *tree, 0)) {
    lua_settop(L, TREE_SLOT);
    lua_pushfstring(L, "more than %d values in each other", JSON_MAX_DEPTH);
    return refuse(L, lua_tostring(L, -1), 1, 1, 1, false);
  }
  json_decref(*tree);
  *tree = NULL;
  return 2;
}
