/* SPDX-License-Identifier: MIT
 *
 * What crosses by name: fields of loaded modules, error classes, context variables. Called by the
 * two halves of copying. Invariant: what is kept here is either weak or looked at again before it
 * is used. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bind/copy.h"
#include "bind/error.h"

/* Context variables that have crossed are numbered, over all states of the process. */
static atomic_ullong last_variable;

/* ---- fields of modules ---- */

/* The table KNOWN has "module\0field" for functions that were found, and for those that were not,
 * the number of `loads` then. */

/* Our classes are known by their numbers, which are the same in all states. */
enum { CLASS_MARK = '=' };

/* Pushes what the module of that name, loaded or one of our classes, is; nil: there is none. */
static int push_loaded(lua_State *L, const aio_state *st, const char *name) {
  if (*name == CLASS_MARK) {
    aio_push_ref(L, st, (enum aio_ref)strtol(name + 1, NULL, 10));
    return lua_type(L, -1);
  }
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  int type = lua_getfield(L, -1, name);
  lua_replace(L, -2);
  return type;
}

/* Is the function at `idx` still what the pair at the top says? Then replaces the pair by the two
 * names, else pops it. */
static bool still_there(lua_State *L, const aio_state *st, int idx) {
  size_t len;
  const char *module = lua_tolstring(L, -1, &len);
  const char *field = module + strlen(module) + 1;
  int pair = lua_gettop(L);
  bool same = false;
  lua_pushstring(L, module);
  lua_pushlstring(L, field, len - (size_t)(field - module));
  if (push_loaded(L, st, module) == LUA_TTABLE) {
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
    same = lua_rawequal(L, -1, idx);
  }
  lua_settop(L, pair + 2);
  if (same)
    lua_remove(L, pair);
  else
    lua_settop(L, pair - 1);
  return same;
}

/* Is `a` a better pair of names than the one at `best`? The shortest, then the alphabet. */
static bool better(lua_State *L, int a, int best) {
  if (lua_isnil(L, best)) return true;
  size_t na = lua_rawlen(L, a), nb = lua_rawlen(L, best);
  return na != nb ? na < nb : lua_compare(L, a, best, LUA_OPLT);
}

/* Looks through the module at the top, whose name is below it, for the function at `idx`. */
static void search_module(lua_State *L, int idx, int best) {
  int module = lua_gettop(L), name = module - 1;
  for (lua_pushnil(L); lua_next(L, module); lua_settop(L, module + 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_rawequal(L, -1, idx)) continue;
    lua_pushvalue(L, name);
    lua_pushlstring(L, "", 1);
    lua_pushvalue(L, module + 1);
    lua_concat(L, 3);
    if (!better(L, lua_gettop(L), best)) continue;
    lua_pushvalue(L, -1);
    lua_replace(L, best);
  }
}

/* Pushes the pair of names for the function at `idx`, or nil. */
static void search(lua_State *L, const aio_state *st, int loaded, int idx) {
  lua_pushnil(L);
  int best = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, loaded); lua_settop(L, best + 1))
    if (lua_type(L, -2) == LUA_TSTRING && lua_istable(L, -1)) search_module(L, idx, best);
  for (int r = 0; r < AIO_REFS && lua_isnil(L, best); r++) {
    if (!st->ref[r]) continue;
    lua_pushfstring(L, "%c%d", CLASS_MARK, r);
    aio_push_ref(L, st, (enum aio_ref)r);
    bool class = lua_istable(L, -1) && lua_getfield(L, -1, "__name") != LUA_TNIL;
    lua_settop(L, best + 2);
    if (class) search_module(L, idx, best);
    lua_settop(L, best);
  }
  lua_settop(L, best);
}

/* Searches all that is loaded, and notes in KNOWN where it is, or when it was not there. When it
 * is, the module and its field are at the top. */
static bool look_up(lua_State *L, const aio_state *st, int idx, lua_Integer loads, int loaded,
                    int known) {
  search(L, st, loaded, idx);
  lua_pushvalue(L, idx);
  if (lua_isnil(L, -2))
    lua_pushinteger(L, loads);
  else
    lua_pushvalue(L, -2);
  lua_rawset(L, known);
  return lua_type(L, -1) == LUA_TSTRING && still_there(L, st, idx);
}

bool aio_copy_field_of(lua_State *L, const aio_state *st, int idx, lua_Integer loads) {
  int top = lua_gettop(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  aio_push_ref(L, st, AIO_REF_KNOWN);
  int loaded = top + 1, known = top + 2;
  lua_pushvalue(L, idx);
  int type = lua_rawget(L, known);
  bool found = type == LUA_TSTRING && still_there(L, st, idx);
  bool missed = type == LUA_TNUMBER && lua_tointeger(L, -1) == loads;
  if (!found && !missed) {
    lua_settop(L, known);
    found = look_up(L, st, idx, loads, loaded, known);
  }
  if (!found) {
    lua_settop(L, top);
    return false;
  }
  lua_replace(L, top + 2); /* the field, where KNOWN was; the module below it */
  lua_replace(L, top + 1);
  lua_settop(L, top + 2);
  return true;
}

void aio_copy_push_module(lua_State *L, const aio_state *st, const char *name) {
  if (push_loaded(L, st, name) != LUA_TNIL) return;
  lua_pop(L, 1);
  lua_getglobal(L, "require");
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

/* ---- error classes ---- */

bool aio_copy_is_class(lua_State *L, const aio_state *st, int idx) {
  int top = lua_gettop(L);
  aio_error_push_class(L, st, AIO_E_BASE);
  lua_pushvalue(L, idx);
  bool yes = false;
  while (!yes && lua_istable(L, -1)) {
    yes = lua_rawequal(L, -1, top + 1);
    lua_pushliteral(L, "_parent");
    lua_rawget(L, -2);
    lua_replace(L, -2);
  }
  lua_settop(L, top);
  return yes;
}

int aio_copy_own_class(lua_State *L, const aio_state *st, int idx) {
  for (int c = AIO_E_BASE; c < AIO_E_COUNT; c++) {
    aio_error_push_class(L, st, (enum aio_error_class)c);
    bool same = lua_rawequal(L, -1, idx);
    lua_pop(L, 1);
    if (same) return c;
  }
  return 0;
}

/* Pushes "BaseError.Error.Mine" for the class at `idx`. */
static void push_class_path(lua_State *L, int idx) {
  lua_pushliteral(L, "");
  int path = lua_gettop(L);
  lua_pushvalue(L, idx);
  while (lua_istable(L, -1)) {
    lua_pushliteral(L, "name");
    lua_rawget(L, -2);
    if (lua_type(L, -1) == LUA_TSTRING) {
      lua_pushliteral(L, ".");
      lua_pushvalue(L, path);
      lua_concat(L, 3);
      lua_replace(L, path);
    } else {
      lua_pop(L, 1);
    }
    lua_pushliteral(L, "_parent");
    lua_rawget(L, -2);
    lua_replace(L, -2);
  }
  lua_settop(L, path);
}

void aio_copy_know_class(lua_State *L, const aio_state *st) {
  int class = lua_gettop(L);
  aio_push_ref(L, st, AIO_REF_CLASS_PATHS);
  push_class_path(L, class);
  lua_pushvalue(L, class);
  lua_rawset(L, -3);
  lua_settop(L, class);
}

void aio_copy_subclass(lua_State *L, const aio_state *st) {
  int parent = lua_gettop(L) - 1, name = parent + 1;
  aio_push_ref(L, st, AIO_REF_CLASS_PATHS);
  push_class_path(L, parent);
  lua_pushvalue(L, name);
  lua_pushliteral(L, ".");
  lua_concat(L, 3);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_getfield(L, parent, "extend");
    lua_pushvalue(L, parent);
    lua_pushvalue(L, name);
    lua_call(L, 2, 1);
  }
  lua_replace(L, parent);
  lua_settop(L, parent);
}

/* ---- context variables ---- */

/* core._copy_variables(class): the class of ContextVars. */
static int copy_variables(lua_State *L) {
  aio_state *st = aio_state_up(L);
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  aio_push_ref(L, st, AIO_REF_HOOKS);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "variable_class");
  st->mt[AIO_REF_VARIABLES] = lua_topointer(L, 1);
  return 0;
}

bool aio_copy_is_variable(lua_State *L, const aio_state *st, int idx) {
  if (!lua_getmetatable(L, idx)) return false;
  const void *mt = lua_topointer(L, -1);
  lua_pop(L, 1);
  return mt == st->mt[AIO_REF_VARIABLES];
}

uint64_t aio_copy_variable_id(lua_State *L, const aio_state *st, int idx) {
  lua_pushliteral(L, "_id");
  lua_rawget(L, idx);
  uint64_t id = (uint64_t)lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (id) return id;
  id = atomic_fetch_add(&last_variable, 1) + 1;
  lua_pushliteral(L, "_id");
  lua_pushinteger(L, (lua_Integer)id);
  lua_rawset(L, idx);
  aio_push_ref(L, st, AIO_REF_VARIABLES);
  lua_pushvalue(L, idx);
  lua_rawseti(L, -2, (lua_Integer)id);
  lua_pop(L, 1);
  return id;
}

void aio_copy_push_variable(lua_State *L, const aio_state *st, uint64_t id) {
  aio_push_ref(L, st, AIO_REF_VARIABLES);
  if (lua_rawgeti(L, -1, (lua_Integer)id) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 3);
    aio_push_hook(L, st, "variable_class");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, (lua_Integer)id);
  }
  lua_replace(L, -2);
}

void aio_copy_name_open(lua_State *L, aio_state *st) {
  static const luaL_Reg fns[] = {{"_copy_variables", copy_variables}, {NULL, NULL}};
  aio_setfuncs(L, st, fns);
}
