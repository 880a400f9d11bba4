/* SPDX-License-Identifier: MIT
 *
 * Where the value is that cannot cross: "argument 2.field[3]". Called when a copy is given up.
 * Invariant: the copy under way is only looked at. */
#include <ctype.h>

#include "bind/copy_pack.h"
#include "bind/error.h"

static bool is_identifier(const char *s) {
  if (!isalpha((unsigned char)*s) && *s != '_') return false;
  while (isalnum((unsigned char)*s) || *s == '_') s++;
  return *s == '\0';
}

/* Pushes how the value with the key at `key` is found in its table. */
static void push_step(lua_State *L, int key) {
  if (lua_isinteger(L, key))
    lua_pushfstring(L, "[%I]", (LUAI_UACINT)lua_tointeger(L, key));
  else if (lua_type(L, key) == LUA_TSTRING && is_identifier(lua_tostring(L, key)))
    lua_pushfstring(L, ".%s", lua_tostring(L, key));
  else if (lua_type(L, key) == LUA_TSTRING)
    lua_pushfstring(L, "[\"%s\"]", lua_tostring(L, key));
  else
    lua_pushfstring(L, "[%s]", luaL_tolstring(L, key, NULL));
}

static void push_upvalue_step(lua_State *L, int fn, int n) {
  const char *name = lua_getupvalue(L, fn, n);
  lua_pushfstring(L, " (upvalue '%s')", name && *name ? name : "?");
}

/* Pushes how the object at `child` is found in the one at `parent`. */
static void push_link(lua_State *L, int parent, int child) {
  if (lua_isfunction(L, parent)) {
    for (int i = 1; lua_getupvalue(L, parent, i); i++) {
      if (!lua_rawequal(L, -1, child)) continue;
      push_upvalue_step(L, parent, i);
      return;
    }
  } else if (lua_istable(L, parent)) {
    for (lua_pushnil(L); lua_next(L, parent); lua_pop(L, 1)) {
      if (lua_rawequal(L, -1, child)) {
        push_step(L, lua_gettop(L) - 1);
        return;
      }
      if (lua_rawequal(L, -2, child)) {
        lua_pushliteral(L, " (a key)");
        return;
      }
    }
  }
  lua_pushliteral(L, "");
}

/* Joins the two strings at the top, the lower one last. */
static void prepend(lua_State *L) {
  lua_insert(L, -2);
  lua_concat(L, 2);
}

/* Pushes the path to the place under way: "argument 2.field[3]". */
static void push_path(aio_packer *p) {
  lua_State *L = p->L;
  lua_pushliteral(L, "");
  int path = lua_gettop(L);
  if (p->current) {
    lua_rawgeti(L, p->objects, p->current);
    if (p->upvalue)
      push_upvalue_step(L, lua_gettop(L), p->upvalue);
    else if (p->at_key)
      lua_pushliteral(L, " (a key)");
    else if (p->key)
      push_step(L, p->key);
    lua_replace(L, path);
    lua_settop(L, path);
  }
  int root = p->root;
  for (uint32_t id = p->current; id; id = p->origins[id].parent) {
    root = p->origins[id].root;
    if (!p->origins[id].parent) break;
    lua_rawgeti(L, p->objects, p->origins[id].parent);
    lua_rawgeti(L, p->objects, id);
    push_link(L, path + 1, path + 2);
    lua_replace(L, path + 1);
    lua_settop(L, path + 1);
    prepend(L);
  }
  if (p->names.first >= 0)
    lua_pushfstring(L, "%s %d", p->names.what,
                    p->names.first + root + (root > 1 ? p->names.gap : 0));
  else
    lua_pushstring(L, p->names.what);
  prepend(L);
}

/* The value under way cannot cross. */
void aio_copy_refuse(aio_packer *p, const char *what) {
  lua_State *L = p->L;
  luaL_checkstack(L, AIO_COPY_STACK, NULL);
  push_path(p);
  aio_error_where(L, p->st);
  const char *where = lua_tostring(L, -1);
  lua_pushfstring(L, "%s%s%s: %s cannot cross to another thread", where, *where ? ": " : "",
                  lua_tostring(L, -2), what);
  lua_error(L);
}
